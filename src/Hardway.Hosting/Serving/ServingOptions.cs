using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;

namespace Hardway.Hosting;

/// <summary>Where and how a component serves health, metrics and what else it adds. Port 0 serves nothing.</summary>
public sealed class ServingOptions
{
    public IPAddress BindAddress { get; set; } = IPAddress.Any;
    public int Port { get; set; }

    /// <summary>False: plain HTTP (kube-proxy's health and metrics ports).</summary>
    public bool Https { get; set; } = true;

    /// <summary>Null: a self-signed one is made in memory.</summary>
    public X509Certificate2? Certificate { get; set; }

    /// <summary>Asked at each handshake instead of <see cref="Certificate"/>, for certificates that rotate.</summary>
    public Func<X509Certificate2>? CertificateSource { get; set; }

    /// <summary>Client certificates are asked for, and accepted only when one of these signed them. Null: not asked for.</summary>
    public X509Certificate2Collection? ClientCertificateAuthorities { get; set; }

    /// <summary>Client certificates are asked for and any is taken: whoever handles a request verifies it, against authorities that may change meanwhile.</summary>
    public bool AnyClientCertificate { get; set; }

    /// <summary>Asked for every path but the health paths: false answers 403. Null: all may read.</summary>
    public Func<HttpContext, ValueTask<bool>>? Authorize { get; set; }

    public long MaxRequestBodySize { get; set; } = 3 * 1024 * 1024;

    /// <summary>Binds upstream's flags of a component that serves: --bind-address, --secure-port, --tls-cert-file, --tls-private-key-file.</summary>
    public void AddFlags(FlagSet flags)
    {
        string? cert = null, key = null;
        flags.Custom("bind-address", "ip", "address to serve on", v =>
        {
            if (!IPAddress.TryParse(v, out var address)) return "is not an IP address";
            BindAddress = address;
            return null;
        }, BindAddress.ToString());
        flags.Int("secure-port", "port to serve HTTPS on; 0 serves nothing", v => Port = v, Port, 0, 65535);
        flags.String("tls-cert-file", "serving certificate, PEM, with intermediates after it", v => { cert = v; CertificateFrom(cert, key); });
        flags.String("tls-private-key-file", "key of the serving certificate, PEM", v => { key = v; CertificateFrom(cert, key); });
        flags.Inert("cert-dir", "tls-cipher-suites", "tls-min-version", "tls-sni-cert-key", "http2-max-streams-per-connection", "tls-curve-preferences");
        flags.InertBools("permit-address-sharing", "permit-port-sharing", "disable-http2-serving");
    }

    private void CertificateFrom(string? cert, string? key)
    {
        if (cert is null || key is null) return;
        var loaded = new Lazy<X509Certificate2>(() => LoadPem(cert, key));
        CertificateSource = () => loaded.Value;
    }

    /// <summary>A certificate with its key from two PEM files, in the form SslStream can serve with.</summary>
    public static X509Certificate2 LoadPem(string certificateFile, string keyFile)
    {
        try
        {
            using var pem = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
            return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            throw new ComponentException($"cannot load the certificate {certificateFile} with the key {keyFile}: {e.Message}", e);
        }
    }
}
