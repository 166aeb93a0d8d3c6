using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Hardway.Api.Core.V1;
using Hardway.Client;
using Hardway.Pki;

namespace Hardway.MetricsServer.Serving;

/// <summary>
/// Whom API servers present themselves as when they hand requests on, and in which headers they name the user: kube-system's ConfigMap
/// extension-apiserver-authentication. Immutable.
/// </summary>
internal sealed record FrontProxy(TrustBundle? Authorities, IReadOnlyList<string> AllowedNames, IReadOnlyList<string> UserHeaders, IReadOnlyList<string> GroupHeaders, IReadOnlyList<string> ExtraPrefixes)
{
    public const string Namespace = "kube-system", Name = "extension-apiserver-authentication";

    public static readonly FrontProxy None = new(null, [], [], [], []);

    public static FrontProxy From(ConfigMap? map)
    {
        if (map?.Data is not { } data || !data.TryGetValue("requestheader-client-ca-file", out var pem))
            return None;
        try
        {
            var authorities = TrustBundle.Parse(pem);
            return authorities.Authorities.Count == 0 ? None : new FrontProxy(
                authorities, List(data, "requestheader-allowed-names"), List(data, "requestheader-username-headers"), List(data, "requestheader-group-headers"), List(data, "requestheader-extra-headers-prefix"));
        }
        catch (Exception e) when (e is CryptographicException or JsonException or FormatException)
        {
            // Nothing that is not understood may name users.
            return None;
        }
    }

    /// <summary>Is this the certificate of a front proxy?</summary>
    public bool Trusts(X509Certificate2 certificate)
    {
        if (Authorities?.Verify(certificate, KeyPurpose.ClientAuthentication, out _) != true)
            return false;
        return AllowedNames.Count == 0 || AllowedNames.Contains(certificate.GetNameInfo(X509NameType.SimpleName, false));
    }

    private static List<string> List(Dictionary<string, string> data, string key)
    {
        if (!data.TryGetValue(key, out var json))
            return [];
        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateArray().Select(e => e.GetString() ?? "")];
    }
}
