using System.Security.Cryptography.X509Certificates;
using System.Security.Cryptography;
using Hardway.Pki;

namespace Hardway.Provisioning.Cluster;

/// <summary>Whether a certificate on disk is the one that is wanted: authority, subject, names, key, and a month left to live.</summary>
internal static class CertificateInspection
{
    private static readonly TimeSpan _renewBefore = TimeSpan.FromDays(30);

    /// <summary>What is wrong, or null.</summary>
    public static string? Inspect(ClusterCertificate wanted, ClusterFiles files, TimeProvider time)
    {
        var (path, keyPath) = (files.Certificate(wanted.Name), files.Key(wanted.Name));
        if (!File.Exists(path) || !File.Exists(keyPath))
        {
            return $"{wanted.Name} is missing";
        }

        try
        {
            using var certificate = PemFiles.ReadWithKey(path, keyPath);
            return Compare(wanted, certificate, files, time);
        }
        catch (CryptographicException e)
        {
            return e.Message;
        }
    }

    private static string? Compare(ClusterCertificate wanted, X509Certificate2 certificate, ClusterFiles files, TimeProvider time)
    {
        var spec = wanted.Spec;
        if (certificate.GetNameInfo(X509NameType.SimpleName, false) != spec.CommonName
            || !certificate.SubjectName.EnumerateRelativeDistinguishedNames()
                .Where(r => r.GetSingleElementType().Value == "2.5.4.10").Select(r => r.GetSingleElementValue()).Order().SequenceEqual(spec.Organizations.Order()))
        {
            return $"{wanted.Name} has the subject {certificate.Subject}";
        }

        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        if (!(names?.EnumerateDnsNames() ?? []).Order().SequenceEqual(spec.DnsNames.Distinct().Order())
            || !(names?.EnumerateIPAddresses() ?? []).Select(a => a.ToString()).Order().SequenceEqual(spec.Addresses.Distinct().Select(a => a.ToString()).Order()))
        {
            return $"{wanted.Name} names other machines";
        }

        if (certificate.NotAfter - time.GetUtcNow() < _renewBefore)
        {
            return $"{wanted.Name} ends on {certificate.NotAfter:u}";
        }

        var purpose = spec.Use.HasFlag(CertificateUse.Server) ? KeyPurpose.ServerAuthentication : KeyPurpose.ClientAuthentication;
        return TrustBundle.Read(files.Certificate(wanted.Authority), time).Verify(certificate, purpose, out var reason)
            ? null
            : $"{wanted.Name} is not trusted by {wanted.Authority}: {reason}";
    }
}
