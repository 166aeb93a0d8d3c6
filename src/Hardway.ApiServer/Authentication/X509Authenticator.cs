using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Hardway.ApiServer.Http;
using Hardway.Pki;
using Microsoft.AspNetCore.Http;

namespace Hardway.ApiServer.Authentication;

/// <summary>
/// The client certificate of the connection: its common name is the user, each organisation a group. A chain is built once for a connection
/// and remembered with its certificate; after that only the validity period is looked at. A certificate of an unknown authority is an error.
/// </summary>
internal sealed class X509Authenticator(Func<TrustBundle> trust, TimeProvider time) : IAuthenticator
{
    public const string CredentialId = "authentication.kubernetes.io/credential-id";

    private readonly ConditionalWeakTable<X509Certificate2, Known> _known = [];

    public ValueTask<AuthenticationResult> AuthenticateAsync(HttpContext http, CancellationToken cancellationToken) =>
        ValueTask.FromResult(http.Connection.ClientCertificate is { } certificate ? Authenticate(certificate) : AuthenticationResult.NotHandled);

    internal AuthenticationResult Authenticate(X509Certificate2 certificate)
    {
        var bundle = trust();
        if (!_known.TryGetValue(certificate, out var known) || !ReferenceEquals(known.Bundle, bundle))
        {
            known = Look(certificate, bundle);
            _known.AddOrUpdate(certificate, known);
        }

        var now = time.GetUtcNow().UtcDateTime;
        return known.Result.User is not null && (now > known.NotAfter || now < known.NotBefore)
            ? AuthenticationResult.Failed("the client certificate is not valid now")
            : known.Result;
    }

    private static Known Look(X509Certificate2 certificate, TrustBundle bundle)
    {
        var result = !bundle.Verify(certificate, KeyPurpose.ClientAuthentication, out var reason)
            ? AuthenticationResult.Failed("x509: " + reason)
            : UserOf(certificate) is { } user ? AuthenticationResult.Success(user) : AuthenticationResult.NotHandled;
        return new Known(bundle, result, certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
    }

    /// <summary>Null when the certificate names nobody.</summary>
    internal static UserInfo? UserOf(X509Certificate2 certificate)
    {
        var (name, groups) = NamesOf(certificate.SubjectName);
        return name.Length == 0
            ? null
            : new UserInfo(name)
            {
                Groups = groups,
                Extra = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal) { [CredentialId] = ["X509SHA256=" + certificate.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant()] },
            };
    }

    internal static (string CommonName, List<string> Organisations) NamesOf(X500DistinguishedName subject)
    {
        const string commonName = "2.5.4.3";
        const string organisation = "2.5.4.10";
        var name = "";
        var organisations = new List<string>();
        foreach (var part in subject.EnumerateRelativeDistinguishedNames(reversed: false))
        {
            if (part.HasMultipleElements)
            {
                continue;
            }

            switch (part.GetSingleElementType().Value)
            {
                case commonName:
                    name = part.GetSingleElementValue() ?? "";
                    break;
                case organisation when part.GetSingleElementValue() is { Length: > 0 } value:
                    organisations.Add(value);
                    break;
            }
        }

        return (name, organisations);
    }

    private sealed record Known(TrustBundle Bundle, AuthenticationResult Result, DateTime NotBefore, DateTime NotAfter);
}
