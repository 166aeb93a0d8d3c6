namespace Hardway.Kubelet.Server;

/// <summary>Who sent a request.</summary>
internal sealed record RequestUser(string Name, string Uid, IReadOnlyList<string> Groups, Dictionary<string, List<string>>? Extra)
{
    public static readonly RequestUser Anonymous = new("system:anonymous", "", ["system:unauthenticated"], null);
}
