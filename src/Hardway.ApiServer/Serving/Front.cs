using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Hardway.ApiServer.Http;
using Hardway.Hosting;
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
        // The body's own bound answers 413; this one lets the rest be read away, so that the client sees the answer.
        kestrel.Limits.MaxRequestBodySize = 16 * RequestBody.MaxBytes;
        kestrel.Limits.MaxConcurrentConnections = 20_000;
        kestrel.Limits.MaxRequestHeadersTotalSize = 64 * 1024;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.Http2.MaxStreamsPerConnection = options.StreamsPerConnection;
        kestrel.Limits.Http2.InitialConnectionWindowSize = 4 * 1024 * 1024;
        kestrel.Limits.Http2.InitialStreamWindowSize = 1024 * 1024;
        kestrel.Listen(options.BindAddress, anyPort ? 0 : options.SecurePort, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(new TlsHandshakeCallbackOptions { HandshakeTimeout = TimeSpan.FromSeconds(10), OnConnection = Handshake() });
        });
    }

    [SuppressMessage("Security", "CA5359", Justification = "Of a server: client certificates are verified by the authenticator.")]
    private Func<TlsHandshakeCallbackContext, ValueTask<SslServerAuthenticationOptions>> Handshake()
    {
        var certificates = new ServingCertificates(options, TimeProvider.System);
        var ciphers = options.Tls.Suites is { } suites && OperatingSystem.IsLinux() ? new CipherSuitesPolicy(suites) : null;
        return context => ValueTask.FromResult(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificates.For(context.ClientHelloInfo.ServerName),
            EnabledSslProtocols = options.Tls.Protocols,
            CipherSuitesPolicy = ciphers,
            // Asked for, not demanded; whether it is good is the authenticator's question.
            ClientCertificateRequired = true,
            RemoteCertificateValidationCallback = Anybody,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        });
    }

    /// <summary>Whom a client certificate makes its bearer is decided by the authenticator, by its own authorities.</summary>
    private static bool Anybody(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) => true;

    /// <summary>Signals belong to the applet, not to the web host.</summary>
    private sealed class SilentLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
