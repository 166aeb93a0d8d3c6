using System.Net;

namespace Hardway.Pki;

/// <summary>What a certificate is for; decides its extended key usages.</summary>
[Flags]
public enum CertificateUse
{
    None = 0,
    Client = 1,
    Server = 2,
}

/// <summary>What a certificate says: its subject (user name and groups, to Kubernetes), its names and what it may be used for.</summary>
public sealed record CertificateSpec
{
    public required string CommonName { get; init; }

    /// <summary>Kubernetes reads each organization as a group of the user.</summary>
    public IReadOnlyList<string> Organizations { get; init; } = [];

    public IReadOnlyList<string> DnsNames { get; init; } = [];

    public IReadOnlyList<IPAddress> Addresses { get; init; } = [];

    public CertificateUse Use { get; init; } = CertificateUse.Client;

    /// <summary>RSA where a reader of the key expects it (service account tokens signed RS256); ECDSA P-256 otherwise.</summary>
    public bool Rsa { get; init; }

    public TimeSpan Lifetime { get; init; } = TimeSpan.FromDays(365);
}

/// <summary>A certificate and its private key, both PEM (key: PKCS#8).</summary>
public sealed record CertificateFiles(string CertificatePem, string KeyPem);
