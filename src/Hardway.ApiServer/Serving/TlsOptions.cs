using System.Net.Security;
using System.Security.Authentication;
using Hardway.Hosting;

namespace Hardway.ApiServer.Serving;

/// <summary>A certificate for clients that ask for certain names: those told, else those that the certificate is for.</summary>
internal sealed record SniCertificate(string CertFile, string KeyFile, IReadOnlyList<string> Domains);

/// <summary>--tls-*: certificates, protocols and ciphers of the HTTPS front.</summary>
internal sealed class TlsOptions
{
    private static readonly TlsCipherSuite[] s_tls13 = [TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256];
    private readonly List<SniCertificate> _sni = [];
    private IReadOnlyList<string> _suites = [];

    public string CertFile { get; set; } = "";

    public string KeyFile { get; set; } = "";

    public IReadOnlyList<SniCertificate> Sni => _sni;

    public SslProtocols Protocols { get; private set; } = SslProtocols.Tls12 | SslProtocols.Tls13;

    /// <summary>Null for .NET's own choice. As upstream, the list is about TLS 1.2; the suites of 1.3 are always there.</summary>
    public IReadOnlyList<TlsCipherSuite>? Suites { get; private set; }

    public void AddFlags(FlagSet flags)
    {
        flags.String("tls-cert-file", "Serving certificate, PEM, with intermediates after it. Read again when it changes.", v => CertFile = v);
        flags.String("tls-private-key-file", "Key of the serving certificate, PEM.", v => KeyFile = v);
        flags.Custom("tls-sni-cert-key", "cert,key[:domains]", "Another certificate and key, for clients that ask for these domains; can be given several times.", AddSni);
        flags.Custom("tls-min-version", "version", "Lowest TLS version: VersionTLS12 or VersionTLS13.", SetVersion, "VersionTLS12");
        flags.StringList("tls-cipher-suites", "Cipher suites of TLS 1.2 by their IANA names; default is .NET's choice.", v => _suites = v);
    }

    public IEnumerable<string> Problems()
    {
        if (CertFile.Length > 0 != KeyFile.Length > 0)
        {
            yield return "--tls-cert-file and --tls-private-key-file belong together; one of them is missing";
        }

        var suites = new List<TlsCipherSuite>();
        foreach (var name in _suites)
        {
            if (Enum.TryParse<TlsCipherSuite>(name, out var suite) && Enum.IsDefined(suite) && !char.IsAsciiDigit(name[0]))
            {
                suites.Add(suite);
            }
            else
            {
                yield return $"--tls-cipher-suites has \"{name}\", which is no cipher suite's IANA name";
            }
        }

        Suites = _suites.Count == 0 ? null : [.. suites.Union(s_tls13)];
        foreach (var file in _sni.SelectMany(s => new[] { s.CertFile, s.KeyFile }))
        {
            if (!File.Exists(file))
            {
                yield return $"--tls-sni-cert-key: {file} does not exist";
            }
        }
    }

    private string? AddSni(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var files = (colon < 0 ? text : text[..colon]).Split(',', StringSplitOptions.TrimEntries);
        if (files.Length != 2 || files.Contains(""))
        {
            return "is not CERT,KEY or CERT,KEY:DOMAIN,DOMAIN";
        }

        _sni.Add(new SniCertificate(files[0], files[1], colon < 0 ? [] : text[(colon + 1)..].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)));
        return null;
    }

    private string? SetVersion(string text)
    {
        switch (text)
        {
            case "VersionTLS12" or "VersionTLS11" or "VersionTLS10":
                // What is older than 1.2 is not spoken any more.
                Protocols = SslProtocols.Tls12 | SslProtocols.Tls13;
                return null;
            case "VersionTLS13":
                Protocols = SslProtocols.Tls13;
                return null;
            default:
                return "is not VersionTLS12 or VersionTLS13";
        }
    }
}
