using System.Net;
using System.Security.Authentication;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Hosting;
using Hardway.Kubelet.Configuration;
using Hardway.Kubelet.Pods;
using Hardway.Pki;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hardway.Kubelet.Server;

/// <summary>What the kubelet's server answers with.</summary>
internal sealed record ServerParts(
    RequestAuthenticator Authenticator, RequestAuthorizer Authorizer, StreamHandlers Streams, LogHandler Logs, Stats.StatsHandler Stats, PodWorkers Workers,
    Func<Pod, PodStatus?> StatusOf, Metrics Metrics, Func<string?> Health);

/// <summary>
/// The kubelet's HTTPS server on port 10250. Every request is authenticated (401), authorized (403) and then routed by its first path
/// segment. TLS 1.2 and up; a client certificate is asked for and must be signed by the configured authority.
/// </summary>
internal sealed partial class KubeletServer(KubeletConfig config, ServerParts parts, ILoggerFactory logs, TimeProvider time)
{
    private readonly ILogger _log = logs.CreateLogger("KubeletServer");
    private WebApplication? _app;

    public async Task StartAsync(CancellationToken stop)
    {
        if (!config.EnableServer)
            return;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(logs);
        builder.WebHost.UseKestrelCore();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 3 << 20;
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(5);
            kestrel.Listen(IPAddress.Parse(config.Address), config.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(Https());
            });
        });
        _app = builder.Build();
        _app.Run(HandleAsync);
        try
        {
            await _app.StartAsync(stop);
        }
        catch (IOException e)
        {
            throw new ComponentException($"the kubelet cannot serve on {config.Address}:{config.Port}: {e.InnerException?.Message ?? e.Message}", e);
        }
    }

    public async Task RunAsync(CancellationToken stop)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (Interlocked.Exchange(ref _app, null) is not { } app)
            return;
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(2), time);
        await app.StopAsync(deadline.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await app.DisposeAsync();
    }

    public static Task AnswerAsync(HttpContext context, int status, string text, string type = "text/plain; charset=utf-8")
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        return context.Response.WriteAsync(text, context.RequestAborted);
    }

    private HttpsConnectionAdapterOptions Https()
    {
        var https = new HttpsConnectionAdapterOptions { SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 };
        if (config.TlsCertFile.Length > 0)
        {
            var source = new CertificateSource(config.TlsCertFile, config.TlsPrivateKeyFile, time);
            https.ServerCertificateSelector = (_, _) => source.Certificate;
        }
        else
            https.ServerCertificate = SelfSigned.Create("kubelet", time);
        if (config.ClientCaFile.Length > 0)
        {
            var authorities = TrustBundle.Read(config.ClientCaFile, time);
            https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
            https.ClientCertificateValidation = (certificate, chain, errors) => authorities.ClientValidation(this, certificate, chain, errors);
        }
        return https;
    }

    private async Task HandleAsync(HttpContext context)
    {
        try
        {
            if (await parts.Authenticator.AuthenticateAsync(context) is not { } user)
            {
                context.Response.Headers.WWWAuthenticate = "Bearer";
                await AnswerAsync(context, StatusCodes.Status401Unauthorized, "Unauthorized");
                return;
            }
            var path = context.Request.Path.Value ?? "/";
            var (allowed, reason) = await parts.Authorizer.AuthorizeAsync(user, context.Request.Method, path, context.RequestAborted);
            if (!allowed)
            {
                await AnswerAsync(context, StatusCodes.Status403Forbidden, reason);
                return;
            }
            await RouteAsync(context, path);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client left.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            LogFailed(_log, context.Request.Path, e.Message);
            await AnswerAsync(context, StatusCodes.Status500InternalServerError, $"{e.Message}\n");
        }
    }

    private async Task RouteAsync(HttpContext context, string path)
    {
        switch (path.Split('/', 3)[1])
        {
            case "healthz" when path is "/healthz" or "/healthz/ping" or "/healthz/syncloop" or "/healthz/log":
                await AnswerAsync(context, parts.Health() == null ? 200 : 500, parts.Health() ?? "ok");
                break;
            case "metrics" when path == "/metrics":
                await parts.Metrics.HandleAsync(context);
                break;
            case "metrics" when path == "/metrics/resource":
                await parts.Stats.ResourceMetricsAsync(context);
                break;
            case "metrics" when path == "/metrics/cadvisor":
                await parts.Stats.CadvisorAsync(context);
                break;
            case "metrics" when path == "/metrics/probes":
                await parts.Stats.ProbesAsync(context);
                break;
            case "stats" when path == "/stats/summary":
                await parts.Stats.SummaryAsync(context);
                break;
            case "pods" or "runningpods" when path.TrimEnd('/') is "/pods" or "/runningpods":
                await PodsAsync(context, path.StartsWith("/running", StringComparison.Ordinal));
                break;
            case "configz":
                await AnswerAsync(context, 200, ConfigPrinter.ToJson(config), "application/json");
                break;
            case "portForward" when PodPath.ParsePod(path, parts.Workers) is { } pod:
                await parts.Streams.PortForwardAsync(context, pod);
                break;
            case "containerLogs" or "exec" or "attach" or "run" or "portForward":
                await PodAsync(context, path);
                break;
            default:
                await AnswerAsync(context, 404, "404 page not found\n");
                break;
        }
    }

    private async Task PodAsync(HttpContext context, string path)
    {
        if (PodPath.Parse(path, parts.Workers) is not { } target)
        {
            await AnswerAsync(context, 404, "pod does not exist\n");
            return;
        }
        await (path.Split('/')[1] switch
        {
            "containerLogs" => parts.Logs.HandleAsync(context, target),
            "exec" => parts.Streams.ExecAsync(context, target),
            "attach" => parts.Streams.AttachAsync(context, target),
            _ => parts.Streams.RunCommandAsync(context, target),
        });
    }

    private async Task PodsAsync(HttpContext context, bool onlyRunning)
    {
        var list = new PodList { ApiVersion = "v1", Kind = "PodList", Items = [] };
        foreach (var pod in onlyRunning ? parts.Workers.Running : parts.Workers.Pods)
        {
            var copy = (Pod)pod.DeepClone();
            copy.Status = parts.StatusOf(pod) ?? copy.Status;
            list.Items.Add(copy);
        }
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(ApiJson.Serialize(list), context.RequestAborted);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Path} could not be answered: {Reason}")]
    private static partial void LogFailed(ILogger log, string path, string reason);
}
