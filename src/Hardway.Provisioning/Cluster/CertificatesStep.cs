using Hardway.Pki;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Cluster;

/// <summary>Makes the authorities and every certificate on the jumpbox; what is good stays, so a second run changes nothing.</summary>
internal sealed class CertificatesStep(ClusterModel cluster) : Step("certificates", "")
{
    private readonly IReadOnlyList<ClusterCertificate> _certificates = ClusterCertificates.Of(cluster.Machines);

    public override string Explain =>
        $"Kubernetes knows people and programs by certificates: the common name is the user, the organizations are the groups. Three authorities and "
        + $"{_certificates.Count} certificates are made in {cluster.Files.Pki}. The API servers' one carries every name and address at which it is reached, "
        + $"{ClusterAddresses.KubernetesService} (the first Service address) and {cluster.EndpointName} among them.";

    public override string Expected => "every certificate has its subject, its names and a month to live, and is trusted by its authority";

    public override bool IsLocal => true;

    public override IReadOnlyList<StepItem> Contents =>
    [
        .. ClusterCertificates.Authorities.Select(a => new StepItem("authority", a.Name, $"CN={a.CommonName}, {cluster.Files.Certificate(a.Name)}")),
        .. _certificates.Select(c => new StepItem("certificate", c.Name, Describe(c))),
    ];

    public override Task<StepCheck> CheckAsync(StepContext context, CancellationToken cancellation) => Task.Run(
        () =>
        {
            var authorities = ClusterCertificates.Authorities
                .Where(a => !File.Exists(cluster.Files.Certificate(a.Name)) || !File.Exists(cluster.Files.Key(a.Name)))
                .Select(a => new StepItem("authority", a.Name, $"authority {a.Name} is missing"));
            List<StepItem> missing =
            [
                .. authorities,
                .. _certificates.Select(c => (c.Name, Problem: CertificateInspection.Inspect(c, cluster.Files, cluster.Options.Time)))
                    .Where(c => c.Problem is not null).Select(c => new StepItem("certificate", c.Name, c.Problem!)),
            ];
            return missing.Count == 0 ? StepCheck.Good : StepCheck.Missing(missing[0].Detail, missing);
        },
        cancellation);

    public override Task ApplyAsync(StepContext context, CancellationToken cancellation) => Task.Run(
        () =>
        {
            var authorities = ClusterCertificates.Authorities.ToDictionary(a => a.Name, a => EnsureAuthority(a.Name, a.CommonName));
            try
            {
                foreach (var certificate in _certificates)
                {
                    cancellation.ThrowIfCancellationRequested();
                    if (CertificateInspection.Inspect(certificate, cluster.Files, cluster.Options.Time) is not null)
                    {
                        Write(certificate.Name, authorities[certificate.Authority].Issue(certificate.Spec));
                    }
                }
            }
            finally
            {
                foreach (var authority in authorities.Values)
                {
                    authority.Dispose();
                }
            }
        },
        cancellation);

    public override async Task<string> VerifyAsync(StepContext context, CancellationToken cancellation)
    {
        var check = await CheckAsync(context, cancellation).ConfigureAwait(false);
        if (!check.InPlace)
        {
            throw new Hosting.ComponentException(check.Reason);
        }

        return $"{_certificates.Count} certificates are good";
    }

    private static string Describe(ClusterCertificate certificate)
    {
        var spec = certificate.Spec;
        var names = string.Join(' ', spec.DnsNames.Distinct().Concat(spec.Addresses.Distinct().Select(a => a.ToString())));
        return $"of {certificate.Authority}, CN={spec.CommonName}{string.Concat(spec.Organizations.Select(o => $", O={o}"))}, {spec.Use}{(names.Length > 0 ? $", for {names}" : "")}";
    }

    private CertificateAuthority EnsureAuthority(string name, string commonName)
    {
        var (path, keyPath) = (cluster.Files.Certificate(name), cluster.Files.Key(name));
        if (File.Exists(path) && File.Exists(keyPath))
        {
            return CertificateAuthority.LoadFiles(path, keyPath, cluster.Options.Time);
        }

        var authority = CertificateAuthority.Create(commonName, cluster.Options.Time);
        Write(name, new CertificateFiles(authority.CertificatePem, authority.KeyPem));
        return authority;
    }

    private void Write(string name, CertificateFiles files)
    {
        PemFiles.WriteKey(cluster.Files.Key(name), files.KeyPem);
        PemFiles.WriteCertificate(cluster.Files.Certificate(name), files.CertificatePem);
        cluster.Transcript.Note(Name, "jumpbox", $"wrote {cluster.Files.Certificate(name)} and its key (0600)");
    }
}
