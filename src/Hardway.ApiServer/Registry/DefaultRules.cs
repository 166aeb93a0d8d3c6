namespace Hardway.ApiServer.Registry;

/// <summary>A kind without rules of its own.</summary>
internal sealed class DefaultRules : KindRules
{
    public static readonly DefaultRules Instance = new();

    /// <summary>The same for a kind whose schema has spec and status and whose resource has a status subresource.</summary>
    public static readonly DefaultRules WithStatus = new() { _hasStatus = true };

    private bool _hasStatus;

    public override bool HasStatus => _hasStatus;

    public override bool HasGeneration => _hasStatus;
}
