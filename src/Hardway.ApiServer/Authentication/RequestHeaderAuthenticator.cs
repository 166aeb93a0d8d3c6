using Hardway.ApiServer.Http;
using Hardway.Pki;
using Microsoft.AspNetCore.Http;

namespace Hardway.ApiServer.Authentication;

/// <summary>
/// A proxy in front (the aggregation layer of another server) names the user in headers. Believed only over a connection whose client
/// certificate is of the proxies' own authority and, where names are given, bears one of them.
/// </summary>
internal sealed class RequestHeaderAuthenticator(AuthenticationOptions options, Func<TrustBundle> trust) : IAuthenticator
{
    public ValueTask<AuthenticationResult> AuthenticateAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var name = First(http.Request.Headers, options.RequestHeaderUsernames);
        return ValueTask.FromResult(name.Length == 0 || !IsProxy(http) ? AuthenticationResult.NotHandled : AuthenticationResult.Success(UserOf(http.Request.Headers, name)));
    }

    private bool IsProxy(HttpContext http)
    {
        if (http.Connection.ClientCertificate is not { } certificate || !trust().Verify(certificate, KeyPurpose.ClientAuthentication, out string? _))
        {
            return false;
        }

        return options.RequestHeaderAllowedNames.Count == 0 || options.RequestHeaderAllowedNames.Contains(X509Authenticator.NamesOf(certificate.SubjectName).CommonName);
    }

    private UserInfo UserOf(IHeaderDictionary headers, string name)
    {
        var extra = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var (header, values) in headers)
        {
            foreach (var prefix in options.RequestHeaderExtraPrefixes)
            {
                if (header.Length > prefix.Length && header.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
                {
                    extra[Uri.UnescapeDataString(header[prefix.Length..]).ToLowerInvariant()] = [.. values.OfType<string>()];
                }
            }
        }

        return new UserInfo(name)
        {
            Uid = First(headers, options.RequestHeaderUids),
            Groups = [.. options.RequestHeaderGroups.SelectMany(h => headers[h].OfType<string>())],
            Extra = extra,
        };
    }

    private static string First(IHeaderDictionary headers, IReadOnlyList<string> names)
    {
        foreach (var name in names)
        {
            if (headers.TryGetValue(name, out var values) && values.Count > 0 && values[0] is { Length: > 0 } value)
            {
                return value;
            }
        }

        return "";
    }
}
