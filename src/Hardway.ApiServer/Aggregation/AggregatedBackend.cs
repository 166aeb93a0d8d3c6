using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using Hardway.Api.ApiRegistration.V1;
using Hardway.ApiServer.Registry;
using Hardway.Pki;

namespace Hardway.ApiServer.Aggregation;

/// <summary>A backend that cannot be reached, or is not whom it should be.</summary>
internal sealed class BackendException(string message, Exception? inner = null) : Exception(message, inner)
{
}

/// <summary>
/// Connections to the servers behind APIServices. This server shows its front-proxy certificate; theirs must be for NAME.NAMESPACE.svc and of the
/// APIService's authority, unless it says that nobody checks. Safe for all threads.
/// </summary>
internal sealed class AggregatedBackend(IResourceReader reader, CertificateSource? certificate) : IDisposable
{
    private const int MostKept = 256;
    private static readonly TimeSpan s_connect = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<string, HttpMessageInvoker> _invokers = new(StringComparer.Ordinal);

    /// <summary>The address of a request to the server: its name is the certificate's.</summary>
    public static Uri UriOf(ServiceReference service, string pathAndQuery) => new($"https://{service.Name}.{service.Namespace}.svc:{service.Port ?? 443}{pathAndQuery}");

    public HttpMessageInvoker InvokerOf(APIServiceSpec spec)
    {
        var service = spec.Service!;
        var key = $"{service.Namespace}/{service.Name}:{service.Port} {spec.InsecureSkipTLSVerify} {Convert.ToHexString(SHA256.HashData(spec.CaBundle ?? []))}";
        if (_invokers.TryGetValue(key, out var known))
        {
            return known;
        }

        if (_invokers.Count >= MostKept)
        {
            // Definitions come and go: what they leave behind is bounded.
            foreach (var old in _invokers.Keys.Take(MostKept / 2).ToList())
            {
                if (_invokers.TryRemove(old, out var gone))
                {
                    gone.Dispose();
                }
            }
        }

        var made = new HttpMessageInvoker(new SocketsHttpHandler
        {
            SslOptions = Ssl(spec),
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = s_connect,
            RequestHeaderEncodingSelector = RepeatedHeaders.Select,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ConnectCallback = async (_, token) => await DialAsync(service, token).ConfigureAwait(false),
        });
        if (_invokers.TryAdd(key, made))
        {
            return made;
        }

        made.Dispose();
        return InvokerOf(spec);
    }

    /// <summary>A TLS connection of its own, for what is upgraded.</summary>
    /// <exception cref="BackendException">It cannot be had.</exception>
    public async Task<Stream> ConnectAsync(APIServiceSpec spec, CancellationToken cancellationToken)
    {
        var service = spec.Service!;
        Stream? plain = null;
        try
        {
            plain = await DialAsync(service, cancellationToken).ConfigureAwait(false);
            var tls = new SslStream(plain);
            var ssl = Ssl(spec);
            ssl.TargetHost = UriOf(service, "/").DnsSafeHost;
            ssl.ApplicationProtocols = [SslApplicationProtocol.Http11];
            await tls.AuthenticateAsClientAsync(ssl, cancellationToken).ConfigureAwait(false);
            return tls;
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or AuthenticationException or IOException)
        {
            if (plain is not null)
            {
                await plain.DisposeAsync().ConfigureAwait(false);
            }

            throw new BackendException(e.InnerException?.Message ?? e.Message, e);
        }
    }

    public void Dispose()
    {
        foreach (var invoker in _invokers.Values)
        {
            invoker.Dispose();
        }
    }

    private async ValueTask<Stream> DialAsync(ServiceReference service, CancellationToken cancellationToken)
    {
        var target = ServiceEndpoints.Find(reader, service.Namespace, service.Name, service.Port ?? 443, out var fault) ?? throw new HttpRequestException(fault!.Message);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(target, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private SslClientAuthenticationOptions Ssl(APIServiceSpec spec)
    {
        var options = new SslClientAuthenticationOptions { EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13, ClientCertificateContext = certificate?.Context };
        if (spec.InsecureSkipTLSVerify)
        {
            // The APIService says in so many words that nobody checks.
            options.RemoteCertificateValidationCallback = (_, presented, _, _) => presented is not null;
        }
        else if (spec.CaBundle is { Length: > 0 } bundle)
        {
            options.RemoteCertificateValidationCallback = TrustBundle.Parse(Encoding.ASCII.GetString(bundle)).ServerValidation;
        }

        return options;
    }
}
