using System.Net;
using System.Text.Json;
using Hardway.Hosting;
using Hardway.Proxy.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Hardway.Proxy;

/// <summary>
/// One HTTP server a healthCheckNodePort: tells a load balancer how many endpoints of that Service are on this node (200, or 503 for none).
/// <see cref="ReconcileAsync"/> is called by one loop; answers are read by any thread.
/// </summary>
internal sealed partial class HealthCheckNodePorts(ProxyHealth health, Metrics metrics, ILoggerFactory logs) : IAsyncDisposable
{
    private readonly ILogger _log = logs.CreateLogger("HealthCheckNodePorts");
    private readonly Dictionary<int, Server> _servers = [];

    public async Task ReconcileAsync(IReadOnlyList<ServicePort> ports, CancellationToken cancel)
    {
        var wanted = new Dictionary<int, ServicePort>();
        foreach (var port in ports.Where(p => p is { HealthCheckNodePort: > 0, ExternalLocal: true }))
        {
            wanted.TryAdd(port.HealthCheckNodePort, port);
        }

        foreach (var number in _servers.Keys.Where(n => !wanted.ContainsKey(n)).ToList())
        {
            await _servers[number].Host.DisposeAsync().ConfigureAwait(false);
            _servers.Remove(number);
        }

        foreach (var (number, port) in wanted)
        {
            if (_servers.TryGetValue(number, out var server))
            {
                server.Port = port;
            }
            else
            {
                await StartAsync(number, port, cancel).ConfigureAwait(false);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers.Values)
        {
            await server.Host.DisposeAsync().ConfigureAwait(false);
        }

        _servers.Clear();
    }

    private async Task StartAsync(int number, ServicePort port, CancellationToken cancel)
    {
        var options = new ServingOptions { BindAddress = IPAddress.Any, Port = number, Https = false };
        var host = new ServingHost($"health check node port of {port.Name}", options, new HealthChecks(), metrics, logs);
        var server = new Server(host) { Port = port };
        foreach (var path in (string[])["/", "/metrics", "/version", "/healthz", "/livez", "/readyz"])
        {
            host.Map(path, context => AnswerAsync(context, server.Port));
        }

        try
        {
            await host.StartAsync(cancel).ConfigureAwait(false);
            _servers[number] = server;
        }
        catch (ComponentException e)
        {
            NotServed(_log, e.Message);
        }
    }

    private Task AnswerAsync(HttpContext context, ServicePort port)
    {
        var count = port.LocalEndpoints.Count;
        context.Response.StatusCode = count > 0 && health.IsLive ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "application/json";
        context.Response.Headers["X-Load-Balancing-Endpoint-Weight"] = count.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var (@namespace, name) = (JsonEncodedText.Encode(port.Name.Namespace), JsonEncodedText.Encode(port.Name.Service));
        return context.Response.WriteAsync(
            $"{{\"service\":{{\"namespace\":\"{@namespace}\",\"name\":\"{name}\"}},\"localEndpoints\":{count},\"serviceProxyHealthy\":{(health.IsLive ? "true" : "false")}}}",
            context.RequestAborted);
    }

    private sealed class Server(ServingHost host)
    {
        private volatile ServicePort? _port;

        public ServingHost Host { get; } = host;

        public ServicePort Port { get => _port!; set => _port = value; }
    }

    [LoggerMessage(LogLevel.Error, "{Reason}")]
    private static partial void NotServed(ILogger logger, string reason);
}
