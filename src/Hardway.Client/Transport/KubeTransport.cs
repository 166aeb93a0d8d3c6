using Hardway.Hosting;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Hardway.Client;

/// <summary>
/// The connections to one API server address with one TLS identity: HTTP/2 over TLS, shared by all clients made on it. HTTP/2 pings find a
/// server that is gone without a word (powered off behind a load balancer) within seconds, also while only watches are open.
/// </summary>
public sealed class KubeTransport : IDisposable
{
    private readonly HttpMessageInvoker _invoker;
    private readonly Counter? _requests;
    private readonly Histogram? _durations;

    /// <param name="config">Where to, and trusting whom.</param>
    /// <param name="metrics">Where to count requests by code and time them by verb.</param>
    /// <param name="certificate">Gives the client certificate when a connection is made, where it is not the configuration's own (an exec plugin's).</param>
    public KubeTransport(KubeConfig config, Metrics? metrics = null, Func<X509Certificate2?>? certificate = null)
    {
        Server = config.Server;
        _requests = metrics?.Counter("rest_client_requests_total", "Number of HTTP requests, partitioned by status code, method, and host.", "code", "host", "method");
        _durations = metrics?.Histogram("rest_client_request_duration_seconds", "Request latency in seconds. Broken down by verb, and host.", null, "host", "verb");
        _invoker = new HttpMessageInvoker(Handler(config, certificate));
    }

    /// <summary>A transport over any handler (tests).</summary>
    public KubeTransport(Uri server, HttpMessageHandler handler)
    {
        Server = server;
        _invoker = new HttpMessageInvoker(handler);
    }

    public Uri Server { get; }

    internal async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        try
        {
            var response = await _invoker.SendAsync(request, cancellationToken);
            _requests?.Inc(((int)response.StatusCode).ToString(CultureInfo.InvariantCulture), Server.Authority, request.Method.Method);
            return response;
        }
        catch (HttpRequestException)
        {
            _requests?.Inc("<error>", Server.Authority, request.Method.Method);
            throw;
        }
        finally
        {
            _durations?.Observe(TimeProvider.System.GetElapsedTime(started), Server.Authority, request.Method.Method);
        }
    }

    public void Dispose() => _invoker.Dispose();

    private static SocketsHttpHandler Handler(KubeConfig config, Func<X509Certificate2?>? certificate)
    {
        var handler = new SocketsHttpHandler
        {
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = TimeSpan.FromSeconds(3),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(5),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(90),
            UseProxy = config.Proxy is not null,
            Proxy = config.Proxy is null ? null : new WebProxy(config.Proxy),
            SslOptions = Tls(config, certificate),
        };
        return handler;
    }

    private static SslClientAuthenticationOptions Tls(KubeConfig config, Func<X509Certificate2?>? given)
    {
        var tls = new SslClientAuthenticationOptions { CertificateRevocationCheckMode = X509RevocationMode.NoCheck };
        if (config.TlsServerName is { Length: > 0 } name) tls.TargetHost = name;
#pragma warning disable CA5359 // the user asked for it: insecure-skip-tls-verify
        if (config.InsecureSkipTlsVerify) tls.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        else if (config.Authorities is { } authorities) tls.RemoteCertificateValidationCallback = authorities.ServerValidation;
        if (config.ClientCertificateSource is { } source)
        {
            tls.LocalCertificateSelectionCallback = (_, _, _, _, _) => source.Certificate;
        }
        else if (config.ClientCertificate is { } certificate)
        {
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, [], offline: true);
        }
        else if (given is not null)
        {
            tls.LocalCertificateSelectionCallback = (_, _, _, _, _) => given()!;
        }
        return tls;
    }
}
