using Hardway.Hosting;
using Hardway.Pki;
using Hardway.Provisioning.Cluster;

namespace Hardway.Provisioning.Verification;

/// <summary>Certificates as they are shown, not as they lie in files: chain, subject, names and end of every TLS server of the cluster.</summary>
internal sealed class CertificateVerification(ClusterModel cluster, VerificationRun run)
{
    private static readonly TimeSpan _month = TimeSpan.FromDays(30);

    public Task RunAsync() => Task.WhenAll(TlsEndpoints.Of(cluster.Machines).Select(e =>
    {
        var spec = e.Certificate.Spec;
        return run.LookAsync(
            Module.HighAvailability, $"certificate of {e.Title}", $"CN={spec.CommonName}, by {e.Certificate.Authority}, for {spec.DnsNames.Distinct().Count() + spec.Addresses.Distinct().Count()} names, a month to live",
            token => LookAsync(e, token));
    }));

    private async Task<Sight> LookAsync(TlsEndpoint endpoint, CancellationToken cancellation)
    {
        using var shown = await TlsEndpoints.ShakeAsync(cluster, endpoint, cancellation).ConfigureAwait(false);
        var (certificate, spec) = (shown.Certificate, endpoint.Certificate.Spec);
        if (!TrustBundle.Read(cluster.Files.Certificate(endpoint.Certificate.Authority), cluster.Options.Time).Verify(certificate, KeyPurpose.ServerAuthentication, out var reason))
        {
            throw new ComponentException($"{endpoint.Machine.Address}:{endpoint.Port} shows \"{certificate.Subject}\" of \"{certificate.Issuer}\", not trusted by {endpoint.Certificate.Authority}: {reason}");
        }

        var missing = spec.DnsNames.Concat(spec.Addresses.Select(a => a.ToString())).Except(shown.Names).ToList();
        var left = certificate.NotAfter - cluster.Options.Time.GetUtcNow();
        return missing.Count > 0 ? throw new ComponentException($"lacks {string.Join(", ", missing)}")
            : left < _month ? throw new ComponentException($"ends on {certificate.NotAfter:yyyy-MM-dd}, in {left.TotalDays:0} days")
            : certificate.GetNameInfo(System.Security.Cryptography.X509Certificates.X509NameType.SimpleName, false) is var name && name != spec.CommonName
                ? throw new ComponentException($"is CN={name}")
            : new Sight(
                $"{certificate.Subject}, by {certificate.Issuer}, until {certificate.NotAfter:yyyy-MM-dd} ({left.TotalDays:0} days)",
                $"names: {string.Join(' ', shown.Names)}");
    }
}
