namespace Hardway.Provisioning.Machines;

/// <summary>Everything that is wrong with a machine database, one clear line each.</summary>
public sealed class MachineDatabaseException(IReadOnlyList<string> errors) : Exception(string.Join('\n', errors))
{
    public IReadOnlyList<string> Errors { get; } = errors;
}
