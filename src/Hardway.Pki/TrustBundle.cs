using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Hardway.Pki;

/// <summary>
/// The authorities that somebody trusts (a CA file). Verifies chains against these alone: the system's own roots do not count, nothing is
/// fetched, revocation is not asked (Kubernetes has none). Immutable, safe for use from several threads.
/// </summary>
public sealed class TrustBundle
{
    private readonly X509Certificate2Collection _authorities;
    private readonly TimeProvider _time;

    public TrustBundle(X509Certificate2Collection authorities, TimeProvider? time = null)
    {
        _authorities = authorities;
        _time = time ?? TimeProvider.System;
    }

    public IReadOnlyList<X509Certificate2> Authorities => [.. _authorities];

    public static TrustBundle Read(string path, TimeProvider? time = null) => new(PemFiles.ReadCertificates(path), time);

    public static TrustBundle Parse(string pem, TimeProvider? time = null)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(pem);
        return new TrustBundle(authorities, time);
    }

    /// <summary>Whether the certificate chains to one of the authorities, is valid now and may be used for the purpose (see <see cref="KeyPurpose"/>).</summary>
    public bool Verify(
        X509Certificate2 certificate, string purpose, [NotNullWhen(false)] out string? reason, X509Certificate2Collection? intermediates = null)
    {
        using var chain = new X509Chain();
        var policy = chain.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(_authorities);
        policy.RevocationMode = X509RevocationMode.NoCheck;
        policy.DisableCertificateDownloads = true;
        policy.VerificationTimeIgnored = false;
        policy.VerificationTime = _time.GetLocalNow().DateTime;
        policy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid(purpose));
        if (intermediates is not null)
        {
            policy.ExtraStore.AddRange(intermediates);
        }

        var good = chain.Build(certificate);
        reason = good ? null : string.Join("; ", chain.ChainStatus.Select(s => s.StatusInformation.Trim()).Distinct());
        foreach (var element in chain.ChainElements)
        {
            element.Certificate.Dispose();
        }

        return good;
    }

    /// <summary>For a TLS client: the server's certificate must chain to the bundle and carry the name that was dialled.</summary>
    public RemoteCertificateValidationCallback ServerValidation => (_, certificate, chain, errors) =>
        certificate is X509Certificate2 leaf
        && !errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)
        && !errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable)
        && Verify(leaf, KeyPurpose.ServerAuthentication, out string? _, Extras(chain));

    /// <summary>For a TLS server that demands a client certificate.</summary>
    public RemoteCertificateValidationCallback ClientValidation => (_, certificate, chain, _) =>
        certificate is X509Certificate2 leaf && Verify(leaf, KeyPurpose.ClientAuthentication, out string? _, Extras(chain));

    private static X509Certificate2Collection? Extras(X509Chain? chain) => chain?.ChainPolicy.ExtraStore;
}
