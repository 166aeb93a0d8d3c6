using System.Net;
using System.Net.Sockets;
using Hardway.Client;
using Hardway.Dns.Forwarding;
using Hardway.Dns.Records;
using Hardway.Dns.Serving;
using Hardway.Dns.Wire;
using Hardway.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Hardway.Dns;

/// <summary>cluster-dns: names of Services and Pods for the cluster, everything else from the servers of resolv.conf.</summary>
public static partial class DnsApplet
{
    public static Task<int> RunAsync(string[] args, CancellationToken stop)
    {
        var logs = new ComponentLog();
        var flags = new FlagSet("cluster-dns", "The cluster's DNS server: Kubernetes DNS specification 1.1.0, and forwarding of all other names.");
        var options = new DnsOptions();
        flags.String("cluster-domain", "the domain this server answers for", v => options = options with { ClusterDomain = v }, options.ClusterDomain);
        flags.String("kubeconfig", "kubeconfig file; without it the Pod's service account", v => options = options with { Kubeconfig = v });
        flags.Custom("listen", "addresses", "where to answer, UDP and TCP: ADDRESS:PORT or :PORT, comma separated", v => Listen(v, l => options = options with { Listen = l }), ":53");
        flags.Int("health-port", "port of /health and /ready; 0 serves none", v => options = options with { HealthPort = v }, options.HealthPort, 0, 65535);
        flags.Int("metrics-port", "port of /metrics; 0 serves none", v => options = options with { MetricsPort = v }, options.MetricsPort, 0, 65535);
        flags.String("resolv-conf", "file that names the servers for other names", v => options = options with { ResolvConf = v }, options.ResolvConf);
        flags.Int("ttl", "seconds that an answer about the cluster may be kept", v => options = options with { Ttl = (uint)v }, (int)options.Ttl, 0, 3600);
        logs.AddFlags(flags);
        return Applet.RunAsync(flags, args, logs, cancel => RunAsync(options, logs, cancel), stop);
    }

    private static async Task<int> RunAsync(DnsOptions options, ComponentLog logs, CancellationToken stop)
    {
        var log = logs.CreateLogger("cluster-dns");
        var time = TimeProvider.System;
        if (!DnsName.TryParse(options.ClusterDomain, out var domain) || domain.Count == 0)
        {
            throw new ComponentException($"--cluster-domain \"{options.ClusterDomain}\" is not a domain such as cluster.local");
        }

        var metrics = new Metrics();
        var dnsMetrics = new DnsMetrics(metrics);
        var zone = new ClusterZone(domain, options.Ttl);
        using var client = new KubeClient(KubeConfig.LoadOrInCluster(options.Kubeconfig), "cluster-dns", time);
        var cluster = new ClusterWatch(client, logs, zone);
        var forwarder = new Forwarder(Servers(options.ResolvConf, log), new AnswerCache(time), dnsMetrics);
        var handler = new QueryHandler(zone, () => cluster.Index, () => cluster.HasSynced, forwarder, dnsMetrics, time);
        var host = new ComponentHost("cluster-dns", logs, time);
        AddServing(host, options, cluster, metrics, logs, time);
        using var listeners = new Listeners();
        host.AddInit("listen", _ =>
        {
            listeners.Open(options.Listen.Count > 0 ? options.Listen : [Any(53)], handler, logs);
            return Task.CompletedTask;
        });
        host.Add("caches", cluster.RunAsync);
        host.Add("answers", listeners.RunAsync);
        host.Add("loop guard", async cancel =>
        {
            foreach (var server in await forwarder.DropLoopsAsync(cancel).ConfigureAwait(false))
            {
                LoopFound(log, server);
            }

            Started(log, domain.ToString(), listeners.ToString(), string.Join(", ", forwarder.Servers));
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        await host.RunAsync(stop).ConfigureAwait(false);
        return 0;
    }

    private static void AddServing(ComponentHost host, DnsOptions options, ClusterWatch cluster, Metrics metrics, ComponentLog logs, TimeProvider time)
    {
        if (options.HealthPort > 0)
        {
            var health = new ServingHost("cluster-dns health", new ServingOptions { Port = options.HealthPort, Https = false }, new HealthChecks(), new Metrics(), logs, time);
            health.Map("/health", c => c.Response.WriteAsync("OK", c.RequestAborted));
            health.Map("/ready", c =>
            {
                c.Response.StatusCode = cluster.HasSynced ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
                return c.Response.WriteAsync(cluster.HasSynced ? "OK" : "the first list of Services, EndpointSlices and Namespaces has not arrived", c.RequestAborted);
            });
            host.Add("health", health.RunAsync, health.StartAsync);
        }

        if (options.MetricsPort > 0)
        {
            var serving = new ServingHost("cluster-dns metrics", new ServingOptions { Port = options.MetricsPort, Https = false }, new HealthChecks(), metrics, logs, time);
            host.Add("metrics", serving.RunAsync, serving.StartAsync);
        }
    }

    private static List<IPEndPoint> Servers(string file, ILogger log)
    {
        try
        {
            var servers = ResolvConf.Servers(File.ReadAllText(file));
            if (servers.Count == 0)
            {
                NoServers(log, file);
            }

            return servers;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            NoServers(log, file);
            return [];
        }
    }

    private static string? Listen(string value, Action<List<IPEndPoint>> set)
    {
        var found = new List<IPEndPoint>();
        foreach (var text in value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (text.StartsWith(':') && int.TryParse(text[1..], out var port) && port is > 0 and < 65536)
            {
                found.Add(Any(port));
            }
            else if (IPEndPoint.TryParse(text, out var endpoint) && endpoint.Port > 0)
            {
                found.Add(endpoint);
            }
            else
            {
                return $"has \"{text}\", which is not ADDRESS:PORT or :PORT";
            }
        }

        set(found);
        return null;
    }

    private static IPEndPoint Any(int port) => new(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, port);

    [LoggerMessage(LogLevel.Information, "Answering for {Domain} on {Listen}; other names go to {Servers}")]
    private static partial void Started(ILogger logger, string domain, string listen, string servers);

    [LoggerMessage(LogLevel.Warning, "The server {Server} of resolv.conf leads back to this one and is not asked")]
    private static partial void LoopFound(ILogger logger, IPEndPoint server);

    [LoggerMessage(LogLevel.Warning, "{File} names no server: only names of the cluster can be answered")]
    private static partial void NoServers(ILogger logger, string file);
}
