using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Hardway.Pki;

namespace Hardway.ApiServer.Serving;

/// <summary>
/// A serving certificate for a server that was given none: made in --cert-dir (apiserver.crt, apiserver.key) once and used again.
/// </summary>
internal static class SelfSignedServing
{
    public static X509Certificate2 Create(ApiServerOptions options)
    {
        var certificate = Path.Combine(options.CertDir, "apiserver.crt");
        var key = Path.Combine(options.CertDir, "apiserver.key");
        if (!File.Exists(certificate) || !File.Exists(key))
        {
            Directory.CreateDirectory(options.CertDir);
            Write(options, certificate, key);
        }

        return PemFiles.ReadWithKey(certificate, key);
    }

    private static void Write(ApiServerOptions options, string certificate, string key)
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=kube-apiserver", pair, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in new[] { "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", Environment.MachineName })
        {
            names.AddDnsName(name);
        }

        names.AddIpAddress(IPAddress.Loopback);
        if (options.AdvertiseAddress is { } address)
        {
            names.AddIpAddress(address);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(KeyPurpose.ServerAuthentication)], false));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddMinutes(-5), now.AddYears(1));
        PemFiles.WriteCertificate(certificate, made.ExportCertificatePem() + "\n");
        PemFiles.WriteKey(key, pair.ExportPkcs8PrivateKeyPem() + "\n");
    }
}
