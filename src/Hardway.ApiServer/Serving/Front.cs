using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Hardway.ApiServer.Http;
using Hardway.Hosting;
using Hardway.Pki;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hardway.ApiServer.Serving;

/// <summary>
/// The HTTPS front: Kestrel with HTTP/1.1 and 2, bounds on bodies, headers and connections, and client certificates of anybody (whose they
/// are is the authenticator's question). The serving certificate is read again when its files change.
/// </summary>
internal sealed class Front(ApiServerOptions options, ILoggerFactory logs) : IAsyncDisposable
{
    private WebApplication? _app;

    public int Port { get; private set; }

    public async Task StartAsync(RequestDelegate handler, bool anyPort, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(logs);
        builder.Services.AddSingleton<IHostLifetime, SilentLifetime>();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => Configure(kestrel, anyPort));
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(10));
        _app = builder.Build();
        _app.Run(handler);
        try
        {
            await _app.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new ComponentException($"kube-apiserver cannot serve on {options.BindAddress}:{options.SecurePort}: {e.InnerException?.Message ?? e.Message}", e);
        }

        Port = new Uri(_app.Urls.First()).Port;
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _app, null) is not { } app)
        {
            return;
        }

        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        await app.StopAsync(deadline.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await app.DisposeAsync().ConfigureAwait(false);
    }

    private void Configure(KestrelServerOptions kestrel, bool anyPort)
    {
        kestrel.AddServerHeader = false;
        kestrel.AllowSynchronousIO = false;
        kestrel.Limits.MaxRequestBodySize = RequestBody.MaxBytes + 1024;
        kestrel.Limits.MaxConcurrentConnections = 20_000;
        kestrel.Limits.MaxRequestHeadersTotalSize = 64 * 1024;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
        kestrel.Limits.Http2.InitialConnectionWindowSize = 4 * 1024 * 1024;
        kestrel.Limits.Http2.InitialStreamWindowSize = 1024 * 1024;
        kestrel.Listen(options.BindAddress, anyPort ? 0 : options.SecurePort, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(Https());
        });
    }

    private HttpsConnectionAdapterOptions Https()
    {
        var https = new HttpsConnectionAdapterOptions
        {
            SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ClientCertificateMode = ClientCertificateMode.AllowCertificate,
            CheckCertificateRevocation = false,
            HandshakeTimeout = TimeSpan.FromSeconds(10),
        };
        https.AllowAnyClientCertificate();
        if (options.TlsCertFile.Length > 0)
        {
            var source = new CertificateSource(options.TlsCertFile, options.TlsKeyFile);
            https.ServerCertificateSelector = (_, _) => source.Certificate;
            https.OnAuthenticate = (_, ssl) => ssl.ServerCertificateContext = source.Context;
        }
        else
        {
            https.ServerCertificate = SelfSignedServing.Create(options);
        }

        return https;
    }

    /// <summary>Signals belong to the applet, not to the web host.</summary>
    private sealed class SilentLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
