using System.Security.Cryptography.X509Certificates;
using System.Text;
using Hardway.Api.Certificates.V1;
using Hardway.Pki;

namespace Hardway.ControllerManager;

/// <summary>What certificate signing requests ask for, and which of them this cluster knows: pure.</summary>
internal static class Requests
{
    public const string ApiServerClient = "kubernetes.io/kube-apiserver-client";
    public const string KubeletClient = "kubernetes.io/kube-apiserver-client-kubelet";
    public const string KubeletServing = "kubernetes.io/kubelet-serving";
    public const string LegacyUnknown = "kubernetes.io/legacy-unknown";

    public static bool IsApproved(CertificateSigningRequest request) => Has(request, "Approved") && !Has(request, "Denied");

    public static bool Has(CertificateSigningRequest request, string type) => request.Status.Conditions?.Exists(c => c.Type == type) == true;

    /// <summary>The request, its own signature verified. Throws CryptographicException when it is none.</summary>
    public static CertificateRequest Parse(CertificateSigningRequest request) =>
        CertificateRequest.LoadSigningRequestPem(Encoding.ASCII.GetString(request.Spec.Request ?? []), System.Security.Cryptography.HashAlgorithmName.SHA256,
            CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions, RSASignaturePaddingOf());

    /// <summary>Why the signer must not sign it, or null.</summary>
    public static string? Refusal(CertificateSigningRequest request, CertificateRequest parsed)
    {
        var usages = (request.Spec.Usages ?? []).ToHashSet(StringComparer.Ordinal);
        var (name, organizations) = Subject(parsed);
        var hasNames = parsed.CertificateExtensions.Any(e => e.Oid?.Value == "2.5.29.17");
        switch (request.Spec.SignerName)
        {
            case ApiServerClient:
                if (organizations.Contains("system:masters")) return "may not be for system:masters";
                return usages.Contains("client auth") ? null : "usages must have \"client auth\"";
            case KubeletClient:
                if (organizations is not ["system:nodes"]) return "the organization must be system:nodes alone";
                if (!name.StartsWith("system:node:", StringComparison.Ordinal)) return "the common name must begin with system:node:";
                if (hasNames) return "alternative names are not allowed";
                return OnlyUsages(usages, "client auth");
            case KubeletServing:
                if (organizations is not ["system:nodes"]) return "the organization must be system:nodes alone";
                if (!name.StartsWith("system:node:", StringComparison.Ordinal)) return "the common name must begin with system:node:";
                if (!hasNames) return "alternative names (DNS or IP) are required";
                return OnlyUsages(usages, "server auth");
            default:
                return null;
        }
    }

    public static CertificateUse UseOf(CertificateSigningRequest request)
    {
        var use = CertificateUse.None;
        if (request.Spec.Usages?.Contains("client auth") == true) use |= CertificateUse.Client;
        if (request.Spec.Usages?.Contains("server auth") == true) use |= CertificateUse.Server;
        return use;
    }

    public static (string CommonName, List<string> Organizations) Subject(CertificateRequest parsed)
    {
        var name = "";
        List<string> organizations = [];
        foreach (var part in parsed.SubjectName.EnumerateRelativeDistinguishedNames())
        {
            if (part.HasMultipleElements) continue;
            if (part.GetSingleElementType().Value == "2.5.4.3") name = part.GetSingleElementValue() ?? "";
            if (part.GetSingleElementType().Value == "2.5.4.10") organizations.Add(part.GetSingleElementValue() ?? "");
        }
        return (name, organizations);
    }

    private static string? OnlyUsages(HashSet<string> usages, string required)
    {
        if (!usages.Contains(required)) return $"usages must have \"{required}\"";
        return usages.IsSubsetOf([required, "digital signature", "key encipherment"]) ? null : $"usages may only be \"{required}\", \"digital signature\" and \"key encipherment\"";
    }

    private static System.Security.Cryptography.RSASignaturePadding RSASignaturePaddingOf() => System.Security.Cryptography.RSASignaturePadding.Pkcs1;
}
