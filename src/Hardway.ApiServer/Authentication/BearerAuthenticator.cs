using System.Text;
using Microsoft.AspNetCore.Http;

namespace Hardway.ApiServer.Authentication;

/// <summary>Authorization: Bearer TOKEN, or the token as a WebSocket subprotocol, which is all that a browser can send.</summary>
internal sealed class BearerAuthenticator(ITokenAuthenticator tokens, IReadOnlyList<string> audiences) : IAuthenticator
{
    private const string Protocol = "base64url.bearer.authorization.k8s.io.";
    private const int Longest = 64 << 10;

    public async ValueTask<AuthenticationResult> AuthenticateAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var token = OfHeader(http.Request) ?? OfProtocol(http.Request);
        if (token is null)
        {
            return AuthenticationResult.NotHandled;
        }

        return token.Length is 0 or > Longest
            ? AuthenticationResult.Failed("invalid bearer token")
            : await tokens.AuthenticateTokenAsync(token, audiences, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Does the request carry a token? Filters use it to keep tokens from going on.</summary>
    public static bool IsIn(HttpRequest request) => OfHeader(request) is not null;

    private static string? OfHeader(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString().AsSpan().Trim();
        const string scheme = "bearer ";
        if (header.Length < scheme.Length || !header[..scheme.Length].Equals(scheme, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var rest = header[scheme.Length..].Trim();
        var space = rest.IndexOf(' ');
        return rest.Length == 0 ? null : (space < 0 ? rest : rest[..space]).ToString();
    }

    private static string? OfProtocol(HttpRequest request)
    {
        foreach (var protocol in request.Headers.SecWebSocketProtocol.ToString().Split(',', StringSplitOptions.TrimEntries))
        {
            if (protocol.StartsWith(Protocol, StringComparison.Ordinal))
            {
                return Base64Url.TryDecode(protocol.AsSpan(Protocol.Length), out var bytes) ? Encoding.UTF8.GetString(bytes) : "";
            }
        }

        return null;
    }
}
