using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Hardway.Pki;

namespace Hardway.ApiServer.Serving;

/// <summary>Which certificate a client gets, by the name that it asks for. Files are read again when they change. Safe for all threads.</summary>
internal sealed class ServingCertificates
{
    private readonly Func<SslStreamCertificateContext> _default;
    private readonly List<(CertificateSource Source, IReadOnlyList<string> Domains)> _named;

    public ServingCertificates(ApiServerOptions options, TimeProvider time)
    {
        if (options.Tls.CertFile.Length > 0)
        {
            var source = new CertificateSource(options.Tls.CertFile, options.Tls.KeyFile, time);
            _default = () => source.Context;
        }
        else
        {
            var made = SslStreamCertificateContext.Create(SelfSignedServing.Create(options), null, offline: true);
            _default = () => made;
        }

        _named = [.. options.Tls.Sni.Select(s => (new CertificateSource(s.CertFile, s.KeyFile, time), s.Domains))];
    }

    /// <param name="name">What the client asks for; null where it does not say.</param>
    public SslStreamCertificateContext For(string? name)
    {
        if (!string.IsNullOrEmpty(name))
        {
            foreach (var (source, domains) in _named)
            {
                if (domains.Count > 0 ? domains.Any(d => Covers(d, name)) : IsFor(source.Certificate, name))
                {
                    return source.Context;
                }
            }
        }

        return _default();
    }

    private static bool IsFor(X509Certificate2 certificate, string name) => certificate.MatchesHostname(name, allowWildcards: true, allowCommonName: false);

    private static bool Covers(string domain, string name)
    {
        if (!domain.StartsWith("*.", StringComparison.Ordinal))
        {
            return domain.Equals(name, StringComparison.OrdinalIgnoreCase);
        }

        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && name.AsSpan(dot).Equals(domain.AsSpan(1), StringComparison.OrdinalIgnoreCase);
    }
}
