using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Hardway.Pki;

/// <summary>
/// A certificate authority: a self-signed P-256 certificate with its key, which signs the certificates of a cluster.
/// Serial numbers are 127 random bits (RFC 5280: positive, at most 20 octets). Validity starts five minutes back, so that a machine whose clock
/// is a little behind accepts a new certificate, and never ends after the authority's own.
/// Safe for use from several threads.
/// </summary>
public sealed class CertificateAuthority : IDisposable
{
    private static readonly TimeSpan _clockSkew = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan _authorityLifetime = TimeSpan.FromDays(3650);

    private readonly TimeProvider _time;
    private readonly AsymmetricAlgorithm _key;
    private readonly X509SignatureGenerator _signer;

    private CertificateAuthority(X509Certificate2 certificate, AsymmetricAlgorithm key, TimeProvider time)
    {
        Certificate = certificate;
        _key = key;
        _time = time;
        _signer = SignerOf(key);
    }

    /// <summary>The authority's own certificate, without its key.</summary>
    public X509Certificate2 Certificate { get; }

    public string CertificatePem => Certificate.ExportCertificatePem() + "\n";

    public string KeyPem => _key.ExportPkcs8PrivateKeyPem() + "\n";

    public static CertificateAuthority Create(string commonName, TimeProvider? time = null)
    {
        time ??= TimeProvider.System;
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(Subject(commonName, []), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign | X509KeyUsageFlags.DigitalSignature, true));
        var subjectKey = new X509SubjectKeyIdentifierExtension(request.PublicKey, false);
        request.CertificateExtensions.Add(subjectKey);
        var now = time.GetUtcNow();
        using var withKey = request.Create(request.SubjectName, X509SignatureGenerator.CreateForECDsa(key), now - _clockSkew, now + _authorityLifetime, NewSerial());
        return new CertificateAuthority(X509CertificateLoader.LoadCertificate(withKey.RawData), key, time);
    }

    /// <summary>Loads an authority from its two PEM texts (EC or RSA key; PKCS#8, SEC1 or PKCS#1).</summary>
    public static CertificateAuthority Load(string certificatePem, string keyPem, TimeProvider? time = null)
    {
        var certificate = X509Certificate2.CreateFromPem(certificatePem);
        var key = PemFiles.ParsePrivateKey(keyPem);
        if (!certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
        {
            certificate.Dispose();
            key.Dispose();
            throw new CryptographicException("the authority's key does not belong to its certificate");
        }

        return new CertificateAuthority(certificate, key, time ?? TimeProvider.System);
    }

    /// <summary>Loads an authority from its two files.</summary>
    public static CertificateAuthority LoadFiles(string certificatePath, string keyPath, TimeProvider? time = null)
        => Load(PemFiles.ReadText(certificatePath), PemFiles.ReadText(keyPath), time);

    /// <summary>Makes a key and signs a certificate for it.</summary>
    public CertificateFiles Issue(CertificateSpec spec)
    {
        using var key = spec.Rsa ? (AsymmetricAlgorithm)RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = key is RSA rsa
            ? new CertificateRequest(Subject(spec.CommonName, spec.Organizations), rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(Subject(spec.CommonName, spec.Organizations), (ECDsa)key, HashAlgorithmName.SHA256);
        AddAlternativeNames(request, spec);
        using var certificate = Sign(request.SubjectName, request.PublicKey, request.CertificateExtensions, spec.Use, spec.Lifetime);
        return new CertificateFiles(certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <summary>
    /// Signs a certificate for someone else's public key: the requested subject and alternative names, and the usages given here (the requested
    /// ones are not copied). The caller decides whether the request may be signed at all.
    /// </summary>
    public X509Certificate2 Sign(
        X500DistinguishedName subject, PublicKey publicKey, IEnumerable<X509Extension> requested, CertificateUse use, TimeSpan lifetime)
    {
        var request = new CertificateRequest(subject, publicKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        var usage = X509KeyUsageFlags.DigitalSignature;
        if (publicKey.Oid.Value == "1.2.840.113549.1.1.1")
        {
            usage |= X509KeyUsageFlags.KeyEncipherment;
        }

        request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, true));
        if (ExtendedUsages(use) is { Count: > 0 } extended)
        {
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(extended, false));
        }

        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, true, false));
        foreach (var extension in requested.Where(e => e.Oid?.Value == "2.5.29.17"))
        {
            request.CertificateExtensions.Add(extension);
        }

        var now = _time.GetUtcNow();
        var end = now + lifetime;
        if (end > Certificate.NotAfter)
        {
            end = Certificate.NotAfter;
        }

        var start = now - _clockSkew;
        if (start < Certificate.NotBefore)
        {
            start = Certificate.NotBefore;
        }

        return request.Create(Certificate.SubjectName, _signer, start, end, NewSerial());
    }

    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
    }

    private static void AddAlternativeNames(CertificateRequest request, CertificateSpec spec)
    {
        if (spec.DnsNames.Count + spec.Addresses.Count == 0)
        {
            return;
        }

        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in spec.DnsNames.Distinct(StringComparer.Ordinal))
        {
            names.AddDnsName(name);
        }

        foreach (var address in spec.Addresses.Distinct())
        {
            names.AddIpAddress(address);
        }

        request.CertificateExtensions.Add(names.Build());
    }

    private static OidCollection ExtendedUsages(CertificateUse use)
    {
        var usages = new OidCollection();
        if (use.HasFlag(CertificateUse.Server))
        {
            usages.Add(new Oid(KeyPurpose.ServerAuthentication));
        }

        if (use.HasFlag(CertificateUse.Client))
        {
            usages.Add(new Oid(KeyPurpose.ClientAuthentication));
        }

        return usages;
    }

    private static X500DistinguishedName Subject(string commonName, IReadOnlyList<string> organizations)
    {
        var builder = new X500DistinguishedNameBuilder();
        foreach (var organization in organizations)
        {
            builder.AddOrganizationName(organization);
        }

        builder.AddCommonName(commonName);
        return builder.Build();
    }

    private static byte[] NewSerial()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7f;
        serial[0] |= 0x40;
        return serial;
    }

    private static X509SignatureGenerator SignerOf(AsymmetricAlgorithm key) => key switch
    {
        ECDsa ecdsa => X509SignatureGenerator.CreateForECDsa(ecdsa),
        RSA rsa => X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1),
        _ => throw new CryptographicException($"an authority's key is EC or RSA, not {key.GetType().Name}"),
    };
}
