using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Hardway.Api.Certificates.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Certificates;

/// <summary>What must hold of a request for a certificate, of its conditions and of the certificate that it brings.</summary>
internal static class CertificateSigningRequestValidation
{
    private const int LeastSeconds = 600;
    private const int MaxSignerName = 571;

    private static readonly string[] s_usages =
    [
        "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", "decipher only", "digital signature", "email protection",
        "encipher only", "ipsec end system", "ipsec tunnel", "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime",
        "server auth", "signing", "timestamping",
    ];

    public static void Spec(CertificateSigningRequestSpec spec, ErrorList errors)
    {
        if (RequestFault(spec.Request) is { } fault)
        {
            errors.Invalid(FieldPath.Spec.Child("request"), "", fault);
        }

        Usages(spec.Usages, FieldPath.Spec.Child("usages"), errors);
        if (spec.SignerName == "kubernetes.io/legacy-unknown")
        {
            errors.Invalid(FieldPath.Spec.Child("signerName"), spec.SignerName, "the legacy signerName is not allowed via this API version");
        }
        else
        {
            SignerName(spec.SignerName, FieldPath.Spec.Child("signerName"), errors);
        }

        if (spec.ExpirationSeconds < LeastSeconds)
        {
            errors.Invalid(FieldPath.Spec.Child("expirationSeconds"), spec.ExpirationSeconds, $"may not specify a duration less than {LeastSeconds} seconds (10 minutes)");
        }
    }

    public static void Status(CertificateSigningRequestStatus status, CertificateSigningRequestStatus old, ErrorList errors)
    {
        Conditions(status, FieldPath.Status.Child("conditions"), errors);
        foreach (var type in new[] { "Approved", "Denied", "Failed" })
        {
            if (old.Conditions?.Exists(c => c.Type == type) == true && status.Conditions?.Exists(c => c.Type == type) != true)
            {
                errors.Forbidden(FieldPath.Status.Child("conditions"), $"updates may not remove a condition of type \"{type}\"");
            }
        }

        var path = FieldPath.Status.Child("certificate");
        if ((status.Certificate ?? []).AsSpan().SequenceEqual(old.Certificate ?? []))
        {
            return;
        }

        if (old.Certificate is { Length: > 0 })
        {
            errors.Forbidden(path, "updates may not modify existing certificate content");
        }
        else if (CertificateFault(status.Certificate ?? []) is { } fault)
        {
            errors.Invalid(path, "", fault);
        }
    }

    private static string? RequestFault(byte[]? request)
    {
        try
        {
            var pem = Encoding.ASCII.GetString(request ?? []);
            if (!PemEncoding.TryFind(pem, out var fields) || !pem.AsSpan()[fields.Label].SequenceEqual("CERTIFICATE REQUEST"))
            {
                return "PEM block type must be CERTIFICATE REQUEST";
            }

            CertificateRequest.LoadSigningRequestPem(pem, HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions);
            return null;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or NotSupportedException)
        {
            return $"is no certificate request that can be read and whose signature is right: {e.Message}";
        }
    }

    private static string? CertificateFault(byte[] certificate)
    {
        var rest = Encoding.ASCII.GetString(certificate).AsSpan();
        var found = false;
        while (PemEncoding.TryFind(rest, out var fields))
        {
            if (!rest[fields.Label].SequenceEqual("CERTIFICATE"))
            {
                return $"only CERTIFICATE PEM blocks are allowed, found \"{rest[fields.Label]}\"";
            }

            try
            {
                using var parsed = X509Certificate2.CreateFromPem(rest[fields.Location]);
                found = true;
            }
            catch (CryptographicException e)
            {
                return $"is no certificate that can be read: {e.Message}";
            }

            rest = rest[fields.Location.End..];
        }

        return found ? null : "must contain at least one CERTIFICATE PEM block";
    }

    private static void Usages(List<string>? usages, FieldPath path, ErrorList errors)
    {
        if (usages is not { Count: > 0 })
        {
            errors.Required(path);
        }

        for (var i = 0; i < usages?.Count; i++)
        {
            if (!s_usages.Contains(usages[i]))
            {
                errors.NotSupported(path.Index(i), usages[i], s_usages);
            }

            if (usages.IndexOf(usages[i]) < i)
            {
                errors.Duplicate(path.Index(i), usages[i]);
            }
        }
    }

    /// <summary>A domain of at least two parts, a slash, and a path of labels.</summary>
    private static void SignerName(string name, FieldPath path, ErrorList errors)
    {
        if (name.Length == 0)
        {
            errors.Required(path);
            return;
        }

        var parts = name.Split('/');
        if (parts.Length != 2)
        {
            errors.Invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'");
            return;
        }

        foreach (var fault in NameForms.DnsSubdomain(parts[0]))
        {
            errors.Invalid(path, parts[0], "domain: " + fault);
        }

        if (!parts[0].Contains('.'))
        {
            errors.Invalid(path, parts[0], "should be a domain with at least two segments separated by dots");
        }

        foreach (var fault in NameForms.DnsSubdomain(parts[1]))
        {
            errors.Invalid(path, parts[1], "path: " + fault);
        }

        if (name.Length > MaxSignerName)
        {
            errors.TooLong(path, MaxSignerName);
        }
    }

    private static void Conditions(CertificateSigningRequestStatus status, FieldPath path, ErrorList errors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < status.Conditions?.Count; i++)
        {
            var (condition, at) = (status.Conditions[i], path.Index(i));
            if (condition.Type.Length == 0)
            {
                errors.Required(at.Child("type"));
            }
            else if (!seen.Add(condition.Type))
            {
                errors.Duplicate(at.Child("type"), condition.Type);
            }

            if (condition.Type is "Approved" or "Denied" or "Failed" && condition.Status != "True")
            {
                errors.Invalid(at.Child("status"), condition.Status, $"must be True for the condition {condition.Type}");
            }
            else if (condition.Status is not ("True" or "False" or "Unknown"))
            {
                errors.NotSupported(at.Child("status"), condition.Status, "False", "True", "Unknown");
            }

            if ((condition.Type == "Approved" && seen.Contains("Denied")) || (condition.Type == "Denied" && seen.Contains("Approved")))
            {
                errors.Invalid(at.Child("type"), condition.Type, "Approved and Denied conditions are mutually exclusive");
            }
        }
    }
}
