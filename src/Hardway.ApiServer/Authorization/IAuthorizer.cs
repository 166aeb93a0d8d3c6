using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Authorization;

internal enum Decision
{
    NoOpinion,
    Allow,
    Deny,
}

internal readonly record struct AuthorizationResult(Decision Decision, string Reason = "")
{
    public static readonly AuthorizationResult NoOpinion = new(Decision.NoOpinion);

    public bool Allowed => Decision == Decision.Allow;

    public static AuthorizationResult Allow(string reason = "") => new(Decision.Allow, reason);

    public static AuthorizationResult Deny(string reason = "") => new(Decision.Deny, reason);
}

/// <summary>What somebody wants to do: a verb on a resource or on a path. Immutable.</summary>
internal sealed record AuthorizationAttributes
{
    public required UserInfo User { get; init; }

    public required string Verb { get; init; }

    public bool IsResource { get; init; }

    public string Namespace { get; init; } = "";

    public string Group { get; init; } = "";

    public string Version { get; init; } = "";

    public string Resource { get; init; } = "";

    public string Subresource { get; init; } = "";

    public string Name { get; init; } = "";

    public string Path { get; init; } = "";

    public string LabelSelector { get; init; } = "";

    public string FieldSelector { get; init; } = "";

    public bool IsReadOnly => Verb is "get" or "list" or "watch";

    public static AuthorizationAttributes Of(RequestInfo info, UserInfo user) => new()
    {
        User = user,
        Verb = info.Verb,
        IsResource = info.IsResource,
        Namespace = info.Namespace,
        Group = info.Group,
        Version = info.Version,
        Resource = info.Resource,
        Subresource = info.Subresource,
        Name = info.Name,
        Path = info.Path,
        LabelSelector = info.LabelSelector,
        FieldSelector = info.FieldSelector,
    };
}

internal interface IAuthorizer
{
    ValueTask<AuthorizationResult> AuthorizeAsync(AuthorizationAttributes attributes, CancellationToken cancellationToken);
}
