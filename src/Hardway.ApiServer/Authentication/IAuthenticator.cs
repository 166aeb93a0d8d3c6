using Hardway.ApiServer.Http;
using Microsoft.AspNetCore.Http;

namespace Hardway.ApiServer.Authentication;

/// <summary>One way to tell who sends a request.</summary>
internal interface IAuthenticator
{
    ValueTask<AuthenticationResult> AuthenticateAsync(HttpContext http, CancellationToken cancellationToken);
}

/// <summary>A user; or nothing of ours in the request; or credentials that are wrong.</summary>
internal readonly record struct AuthenticationResult(UserInfo? User, string? Error)
{
    /// <summary>The request has no credentials of this kind: ask the next.</summary>
    public static readonly AuthenticationResult NotHandled = new(null, null);

    /// <summary>Audiences the credentials are good for; empty for the API server's own.</summary>
    public IReadOnlyList<string> Audiences { get; init; } = [];

    public static AuthenticationResult Success(UserInfo user) => new(user, null) { Audiences = [] };

    public static AuthenticationResult Failed(string error) => new(null, error) { Audiences = [] };
}
