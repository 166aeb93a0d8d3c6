using Hardway.Hosting;
using Hardway.Pki;
using Hardway.Provisioning.Cluster;

namespace Hardway.Provisioning.Doctor;

/// <summary>What is wrong with a certificate, the gravest first.</summary>
internal enum CertificateProblem
{
    None,
    NoAnswer,
    Expired,
    WrongAuthority,
    WrongSubject,
    MissingName,
}

/// <summary>What a TLS server showed, judged against what it must show.</summary>
internal sealed record ShownCertificate(TlsEndpoint Endpoint, CertificateProblem Problem, string Evidence)
{
    public static async Task<ShownCertificate> LookAsync(ClusterModel cluster, TlsEndpoint endpoint, CancellationToken cancellation)
    {
        try
        {
            using var shown = await TlsEndpoints.ShakeAsync(cluster, endpoint, cancellation).ConfigureAwait(false);
            var (problem, evidence) = Judge(cluster, endpoint, shown);
            return new ShownCertificate(endpoint, problem, $"{endpoint.Machine.Address}:{endpoint.Port} shows {evidence}");
        }
        catch (ComponentException e)
        {
            return new ShownCertificate(endpoint, CertificateProblem.NoAnswer, e.Message);
        }
    }

    private static (CertificateProblem Problem, string Evidence) Judge(ClusterModel cluster, TlsEndpoint endpoint, Handshake shown)
    {
        var (certificate, spec) = (shown.Certificate, endpoint.Certificate.Spec);
        var name = certificate.GetNameInfo(System.Security.Cryptography.X509Certificates.X509NameType.SimpleName, false);
        if (certificate.NotAfter <= cluster.Options.Time.GetUtcNow())
        {
            return (CertificateProblem.Expired, $"a certificate that ended on {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC");
        }

        if (!TrustBundle.Read(cluster.Files.Certificate(endpoint.Certificate.Authority), cluster.Options.Time).Verify(certificate, KeyPurpose.ServerAuthentication, out var reason))
        {
            return (CertificateProblem.WrongAuthority, $"\"{certificate.Subject}\" signed by \"{certificate.Issuer}\", which is not this cluster's {endpoint.Certificate.Authority} ({reason})");
        }

        var missing = spec.DnsNames.Concat(spec.Addresses.Select(a => a.ToString())).Except(shown.Names).ToList();
        return name != spec.CommonName ? (CertificateProblem.WrongSubject, $"CN={name}; it must be CN={spec.CommonName}")
            : missing.Count > 0 ? (CertificateProblem.MissingName, $"a certificate that lacks {string.Join(", ", missing)}")
            : (CertificateProblem.None, certificate.Subject);
    }
}
