namespace Hardway.ApiServer.Http;

/// <summary>Who asks. Immutable.</summary>
internal sealed record UserInfo(string Name)
{
    public const string AnonymousName = "system:anonymous";
    public const string UnauthenticatedGroup = "system:unauthenticated";
    public const string AuthenticatedGroup = "system:authenticated";
    public const string MastersGroup = "system:masters";
    public const string NodesGroup = "system:nodes";
    public const string ServiceAccountsGroup = "system:serviceaccounts";

    public static readonly UserInfo Anonymous = new(AnonymousName) { Groups = [UnauthenticatedGroup] };

    /// <summary>The API server itself, when it writes what it owns.</summary>
    public static readonly UserInfo ApiServer = new("system:apiserver") { Groups = [MastersGroup, AuthenticatedGroup] };

    public string Uid { get; init; } = "";

    public IReadOnlyList<string> Groups { get; init; } = [];

    public IReadOnlyDictionary<string, IReadOnlyList<string>> Extra { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    public bool InGroup(string group) => Groups.Contains(group);
}
