using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hardway.Hosting;

/// <summary>
/// A component's own HTTP(S) endpoint: /healthz, /livez, /readyz, /metrics, /version and what <see cref="Map"/> adds, on a bare Kestrel
/// without routing, middleware or configuration. Start it with <see cref="StartAsync"/> (a port that is taken is one clear line), stop it by disposing.
/// </summary>
public sealed class ServingHost : IAsyncDisposable
{
    private readonly ServingOptions _options;
    private readonly HealthChecks _health;
    private readonly ILoggerFactory _logs;
    private readonly TimeProvider _time;
    private readonly string _name;
    private readonly Dictionary<string, RequestDelegate> _exact = new(StringComparer.Ordinal);
    private readonly List<(string Prefix, RequestDelegate Handler)> _prefixes = [];
    private WebApplication? _app;

    public ServingHost(string name, ServingOptions options, HealthChecks health, Metrics metrics, ILoggerFactory logs, TimeProvider? time = null)
    {
        (_name, _options, _health, _logs, _time) = (name, options, health, logs, time ?? TimeProvider.System);
        Map("/metrics", metrics.HandleAsync);
        Map("/version", c => WriteAsync(c, "application/json", $$"""{"major":"{{HardwayVersion.Major}}","minor":"{{HardwayVersion.Minor}}","gitVersion":"{{HardwayVersion.GitVersion}}","platform":"linux/amd64"}"""));
    }

    /// <summary>The port that is really served (differs from the options' only in tests, with <see cref="StartAsync(bool, CancellationToken)"/>).</summary>
    public int Port { get; private set; }

    /// <summary>Adds a path; one that ends with a slash takes everything below it. Before <see cref="StartAsync(CancellationToken)"/>.</summary>
    public void Map(string path, RequestDelegate handler)
    {
        if (path.EndsWith('/')) _prefixes.Add((path, handler));
        else _exact[path] = handler;
    }

    public Task StartAsync(CancellationToken cancellationToken) => StartAsync(anyPort: false, cancellationToken);

    public async Task StartAsync(bool anyPort, CancellationToken cancellationToken)
    {
        if (_options.Port == 0 && !anyPort) return;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(_logs);
        builder.Services.AddSingleton<IHostLifetime, SilentLifetime>();
        builder.WebHost.UseKestrelCore();
        if (_options.Https) builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(Configure);
        _app = builder.Build();
        _app.Run(HandleAsync);
        try
        {
            await _app.StartAsync(cancellationToken);
        }
        catch (IOException e)
        {
            throw new ComponentException($"{_name} cannot serve on {_options.BindAddress}:{_options.Port}: {e.InnerException?.Message ?? e.Message}", e);
        }
        Port = new Uri(_app.Urls.First()).Port;
    }

    /// <summary>Serves, after <see cref="StartAsync(CancellationToken)"/>, until the token is cancelled. As a stage: host.Add("serving", s.RunAsync, s.StartAsync).</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _app, null) is not { } app) return;
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(3), _time);
        await app.StopAsync(deadline.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await app.DisposeAsync();
    }

    private void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = _options.MaxRequestBodySize;
        kestrel.Listen(_options.BindAddress, _options.Port, listen =>
        {
            listen.Protocols = _options.Https ? HttpProtocols.Http1AndHttp2 : HttpProtocols.Http1;
            if (_options.Https) listen.UseHttps(Https());
        });
    }

    private HttpsConnectionAdapterOptions Https()
    {
        var https = new HttpsConnectionAdapterOptions { SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 };
        if (_options.CertificateSource is { } source) https.ServerCertificateSelector = (_, _) => source();
        else https.ServerCertificate = _options.Certificate ?? SelfSigned.Create(_name, _time);
        if (_options.AnyClientCertificate)
        {
            https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
            https.ClientCertificateValidation = (_, _, _) => true;
        }
        else if (_options.ClientCertificateAuthorities is { } authorities)
        {
            https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
            https.ClientCertificateValidation = (certificate, chain, _) => IsSignedBy(certificate, chain, authorities);
        }
        return https;
    }

    private static bool IsSignedBy(X509Certificate2 certificate, X509Chain? given, X509Certificate2Collection authorities)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid("1.3.6.1.5.5.7.3.2"));
        if (given is not null) chain.ChainPolicy.ExtraStore.AddRange(given.ChainPolicy.ExtraStore);
        return chain.Build(certificate);
    }

    private async Task HandleAsync(HttpContext context)
    {
        if (!_exact.ContainsKey(context.Request.Path.Value ?? "/") && await _health.TryHandleAsync(context)) return; // kube-proxy's /healthz is its own
        if (Find(context.Request.Path.Value ?? "/") is not { } handler)
        {
            await RefuseAsync(context, StatusCodes.Status404NotFound, "404 page not found\n");
            return;
        }
        if (_options.Authorize is { } authorize && !await authorize(context))
        {
            await RefuseAsync(context, StatusCodes.Status403Forbidden, $"forbidden: not allowed to read {context.Request.Path}\n");
            return;
        }
        await handler(context);
    }

    private RequestDelegate? Find(string path)
    {
        if (_exact.TryGetValue(path, out var handler)) return handler;
        foreach (var (prefix, below) in _prefixes)
        {
            if (path.StartsWith(prefix, StringComparison.Ordinal)) return below;
        }
        return null;
    }

    private static Task RefuseAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        return WriteAsync(context, "text/plain; charset=utf-8", text);
    }

    private static Task WriteAsync(HttpContext context, string type, string text)
    {
        context.Response.ContentType = type;
        return context.Response.WriteAsync(text, context.RequestAborted);
    }

    /// <summary>Signals belong to <see cref="Applet"/>, not to the web host.</summary>
    private sealed class SilentLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
