using Hardway.Api;

namespace Hardway.ApiServer.Custom;

/// <summary>Brings objects of a custom kind from one of its versions to another.</summary>
internal interface ICustomConversion
{
    /// <summary>Somebody else does it: what they answer today may be another thing tomorrow.</summary>
    bool AsksOthers { get; }

    /// <param name="values">Of any versions but the wanted one; may be changed.</param>
    /// <param name="wanted">The version asked for.</param>
    /// <param name="cancellationToken">Ends with the request.</param>
    ValueTask<List<CustomObject>> ConvertAsync(List<CustomObject> values, ResourceInfo wanted, CancellationToken cancellationToken);
}

/// <summary>Strategy None: only apiVersion changes.</summary>
internal sealed class RenamingConversion : ICustomConversion
{
    public static readonly RenamingConversion Instance = new();

    public bool AsksOthers => false;

    public ValueTask<List<CustomObject>> ConvertAsync(List<CustomObject> values, ResourceInfo wanted, CancellationToken cancellationToken)
    {
        values.ForEach(v => v.ApiVersion = wanted.ApiVersion);
        return ValueTask.FromResult(values);
    }
}
