using System.Net;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.Client;
using Hardway.Hosting;
using Hardway.Proxy.Configuration;
using Hardway.Proxy.Iptables;
using Hardway.Proxy.LoadBalancing;
using Hardway.Proxy.Model;
using Hardway.Proxy.Nftables;
using Hardway.Proxy.Policies;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Hardway.Proxy;

/// <summary>kube-proxy: makes Services work on this node by nftables rules.</summary>
public static partial class ProxyApplet
{
    /// <summary>Services that another proxy handles, and headless ones, are none of ours.</summary>
    private const string Selector = "!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name";

    public static Task<int> RunAsync(string[] args, CancellationToken stop)
    {
        var logs = new ComponentLog();
        var flags = new FlagSet("kube-proxy", "The Kubernetes network proxy: programs this node's nftables so that Services reach their endpoints.");
        var options = new ProxyFlags();
        options.Bind(flags);
        logs.AddFlags(flags);
        return Applet.RunAsync(flags, args, logs, cancel => RunAsync(options, logs, cancel), stop);
    }

    private static async Task<int> RunAsync(ProxyFlags flags, ComponentLog logs, CancellationToken stop)
    {
        var log = logs.CreateLogger("kube-proxy");
        var families = Families();
        if (flags.CleanUp)
        {
            return await CleanUpAsync(families, log, stop).ConfigureAwait(false);
        }

        var config = flags.Load();
        foreach (var warning in config.Warnings)
        {
            Warn(log, warning);
        }

        await RefuseMixedBackendsAsync(config, log, stop).ConfigureAwait(false);
        KernelSettings.Apply(config, log);
        var time = TimeProvider.System;
        using var client = new KubeClient(KubeConfig.LoadOrInCluster(config.Kubeconfig), "kube-proxy", time);
        var name = NodeName(config);
        Started(log, name, config.Mode, string.Join(", ", families.Select(f => f.Ip)));
        var cluster = new ClusterWatch(client, logs, name, Selector);
        var metrics = new Metrics();
        var health = new ProxyHealth(time, config.SyncPeriod * 2);
        await using var nodePorts = new HealthCheckNodePorts(health, metrics, logs);
        var host = new ComponentHost("kube-proxy", logs, time);
        AddServing(host, config, health, metrics, logs, time);
        host.Add("caches", cluster.RunAsync);
        host.AddInit("caches synced", cluster.WaitForSyncAsync);
        host.Add("rules", async cancel =>
        {
            var pods = config.DetectLocal == LocalMode.NodeCidr ? await cluster.PodNetworksAsync(cancel).ConfigureAwait(false) : [];
            var settled = config.NodePortPrimary
                ? config with { NodePortNetworks = [.. config.NodePortNetworks, .. await cluster.PrimaryAddressesAsync(cancel).ConfigureAwait(false)] }
                : config;
            var tables = families.ConvertAll(f => Table(settled, f, pods));
            var proxier = new Proxier(cluster.Services, () => cluster.Node, tables, config, new ProxyMetrics(metrics), health, time, logs.CreateLogger("Proxier"))
            {
                Synced = nodePorts.ReconcileAsync,
                FirstSynced = token => RemoveOtherModeAsync(config, families, log, token),
            };
            cluster.Attach(proxier.Signal, health, new ProxyMetrics(metrics));
            await proxier.RunAsync(cancel).ConfigureAwait(false);
        });
        if (flags.LoadBalancers)
        {
            var announcer = new Announcer(name, new AnnouncerNetwork(), () => health.IsLive && !health.NodeGoing, metrics, time, logs.CreateLogger("LoadBalancer"));
            var balancers = new LoadBalancerWatch(client, logs, cluster, announcer);
            cluster.AttachLoadBalancers(balancers.Changed);
            host.Add("load balancers", balancers.RunAsync);
        }

        if (flags.NetworkPolicy)
        {
            host.Add("network policies", new PolicyEnforcer(client, logs, name, new PolicyTable(new RuleCommand()), metrics).RunAsync);
        }

        await host.RunAsync(stop).ConfigureAwait(false);
        return 0;
    }

    /// <summary>The rules stay when kube-proxy stops: traffic goes on, and the next start takes them over. Only --cleanup removes them.</summary>
    private static async Task<int> CleanUpAsync(List<NftFamily> families, ILogger log, CancellationToken stop)
    {
        var code = 0;
        if (await new PolicyTable(new RuleCommand()).RemoveAsync(stop).ConfigureAwait(false) is { } kept)
        {
            CleanUpFailed(log, PolicyBase.Table, kept.Trim());
            code = 1;
        }

        foreach (var table in families.SelectMany(f => (IRuleTable[])[Nft(new ProxyConfig(), f, []), Iptables(new ProxyConfig(), f, [])]))
        {
            if (await table.RemoveAsync(stop).ConfigureAwait(false) is { } failed)
            {
                CleanUpFailed(log, table.Name, failed.Trim());
                code = 1;
            }
        }

        return code;
    }

    /// <summary>In mode iptables rules of its other backend are an error: nobody could tell what they do together with ours. In mode nftables the operator is told.</summary>
    private static async Task RefuseMixedBackendsAsync(ProxyConfig config, ILogger log, CancellationToken stop)
    {
        if (config.Mode == ProxyMode.Iptables && await IptablesBackends.OtherAsync(new RuleCommand(), stop).ConfigureAwait(false) is { } other)
        {
            throw new ComponentException(other);
        }

        if (await IptablesBackends.MixedAsync(new RuleCommand(), stop).ConfigureAwait(false) is { } mixed)
        {
            Warn(log, mixed);
        }
    }

    /// <summary>
    /// Rules of the mode of before: they go once ours are in place, so that no packet meets none; while both are there they say the same. Their program
    /// may not be installed.
    /// </summary>
    private static async Task RemoveOtherModeAsync(ProxyConfig config, List<NftFamily> families, ILogger log, CancellationToken cancel)
    {
        foreach (var family in families)
        {
            var other = config.Mode == ProxyMode.Iptables ? Nft(config, family, []) : Iptables(config, family, []);
            try
            {
                if (await other.RemoveAsync(cancel).ConfigureAwait(false) is { } failed)
                {
                    CleanUpFailed(log, other.Name, failed.Trim());
                }
            }
            catch (System.ComponentModel.Win32Exception)
            {
                // not installed: it cannot have left anything
            }
        }
    }

    private static IRuleTable Table(ProxyConfig config, NftFamily family, IReadOnlyList<IPNetwork> podNetworks) =>
        config.Mode == ProxyMode.Iptables ? Iptables(config, family, podNetworks) : Nft(config, family, podNetworks);

    private static IRuleTable Nft(ProxyConfig config, NftFamily family, IReadOnlyList<IPNetwork> podNetworks) =>
        new NftTable(Options(config, family, podNetworks), new RuleCommand());

    private static IRuleTable Iptables(ProxyConfig config, NftFamily family, IReadOnlyList<IPNetwork> podNetworks)
    {
        var v6 = family == NftFamily.V6;
        var (ifLocal, ifNotLocal) = LocalTraffic.IptablesMatches(config, v6, podNetworks);
        return new IptablesTable(
            new IptablesOptions
            {
                IsV6 = v6,
                MasqueradeBit = config.MasqueradeBit,
                MasqueradeAll = config.MasqueradeAll,
                LocalhostNodePorts = config.LocalhostNodePorts,
                IfLocal = ifLocal,
                IfNotLocal = ifNotLocal,
                NodePortNetworks = [.. config.NodePortNetworks.Where(n => n.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 == v6)],
            },
            new RuleCommand());
    }

    private static void AddServing(ComponentHost host, ProxyConfig config, ProxyHealth health, Metrics metrics, ComponentLog logs, TimeProvider time)
    {
        if (config.Healthz is { } healthz)
        {
            var options = new ServingOptions
            {
                BindAddress = healthz.Address,
                Port = healthz.Port,
                Https = false,
                Authorize = c => ValueTask.FromResult(c.Request.Path.Value is "/healthz" or "/livez"),
            };
            var serving = new ServingHost("kube-proxy health", options, new HealthChecks(), metrics, logs, time);
            serving.Map("/healthz", health.HealthzAsync);
            serving.Map("/livez", health.LivezAsync);
            host.Add("health", serving.RunAsync, serving.StartAsync);
        }

        if (config.Metrics is { } address)
        {
            var options = new ServingOptions { BindAddress = address.Address, Port = address.Port, Https = false };
            var serving = new ServingHost("kube-proxy metrics", options, new HealthChecks(), metrics, logs, time);
            serving.Map("/proxyMode", c => c.Response.WriteAsync(config.Mode == ProxyMode.Iptables ? "iptables" : "nftables", c.RequestAborted));
            host.Add("metrics", serving.RunAsync, serving.StartAsync);
        }
    }

    private static NftOptions Options(ProxyConfig config, NftFamily family, IReadOnlyList<IPNetwork> podNetworks)
    {
        var (ifLocal, ifNotLocal) = LocalTraffic.Matches(config, family, podNetworks);
        return new NftOptions
        {
            Family = family,
            MasqueradeBit = config.MasqueradeBit,
            MasqueradeAll = config.MasqueradeAll,
            IfLocal = ifLocal,
            IfNotLocal = ifNotLocal,
            NodePortNetworks = [.. config.NodePortNetworks.Where(n => n.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 == (family == NftFamily.V6))],
        };
    }

    private static List<NftFamily> Families() => File.Exists("/proc/net/if_inet6") ? [NftFamily.V4, NftFamily.V6] : [NftFamily.V4];

    private static string NodeName(ProxyConfig config) =>
        (config.HostnameOverride.Length > 0 ? config.HostnameOverride : File.ReadAllText("/proc/sys/kernel/hostname").Trim()).ToLowerInvariant();

    [LoggerMessage(LogLevel.Information, "kube-proxy of node {Node} starts, mode {Mode}, families {Families}")]
    private static partial void Started(ILogger logger, string node, ProxyMode mode, string families);

    [LoggerMessage(LogLevel.Warning, "{Warning}")]
    private static partial void Warn(ILogger logger, string warning);

    [LoggerMessage(LogLevel.Error, "The table {Table} could not be removed: {Reason}")]
    private static partial void CleanUpFailed(ILogger logger, string table, string reason);
}
