using System.ComponentModel;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Threading.Channels;
using Hardway.Proxy.Configuration;
using Hardway.Proxy.Conntrack;
using Hardway.Proxy.Model;
using Microsoft.Extensions.Logging;

namespace Hardway.Proxy;

/// <summary>
/// The sync loop: changes are coalesced, at most one sync each minSyncPeriod, and each syncPeriod it checks that the rules are still there.
/// <code>
///   change ─► signal ─► wait for minSyncPeriod ─► compile ─► rules (delta) ─► conntrack ─► health
///                ▲                                              │ failed: full sync, with growing waits
///                └──────────────────────────────────────────────┘
/// </code>
/// One loop owns the tables; <see cref="Signal"/> is for any thread.
/// </summary>
internal sealed partial class Proxier(
    ServiceMap services, Func<NodeFacts> node, IReadOnlyList<IRuleTable> tables, ProxyConfig config, ProxyMetrics metrics, ProxyHealth health, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan s_fullPeriod = TimeSpan.FromHours(1);
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly HashSet<ServicePort> _udp = new(ReferenceEqualityComparer.Instance);

    /// <summary>Called after each sync that succeeded, with all ports (the health check node ports follow them).</summary>
    public Func<IReadOnlyList<ServicePort>, CancellationToken, Task>? Synced { get; init; }

    /// <summary>Called once, after the first sync that succeeded.</summary>
    public Func<CancellationToken, Task>? FirstSynced { get; set; }

    public void Signal()
    {
        health.Queued();
        metrics.LastQueued.Set(time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0);
        _signal.Writer.TryWrite(true);
    }

    public async Task RunAsync(CancellationToken cancel)
    {
        var fullAt = time.GetTimestamp();
        var full = true;
        var wait = TimeSpan.Zero;
        while (!cancel.IsCancellationRequested)
        {
            _signal.Reader.TryRead(out _);
            var ok = await SyncAsync(full, cancel).ConfigureAwait(false);
            fullAt = full && ok ? time.GetTimestamp() : fullAt;
            wait = ok ? config.MinSyncPeriod : Min(Max(wait * 2, TimeSpan.FromSeconds(1)), config.SyncPeriod);
            full = !ok;
            await Task.Delay(wait, time, cancel).ConfigureAwait(false);
            if (ok)
            {
                full = !await SignalledAsync(cancel).ConfigureAwait(false) && !await PresentAsync(cancel).ConfigureAwait(false);
                full |= time.GetElapsedTime(fullAt) > s_fullPeriod;
            }
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    /// <summary>True when there was a change, false when the period ended without one.</summary>
    private async Task<bool> SignalledAsync(CancellationToken cancel)
    {
        using var period = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var timer = time.CreateTimer(static s => ((CancellationTokenSource)s!).Cancel(), period, config.SyncPeriod, Timeout.InfiniteTimeSpan);
        try
        {
            await _signal.Reader.WaitToReadAsync(period.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task<bool> PresentAsync(CancellationToken cancel)
    {
        foreach (var table in tables)
        {
            if (!await table.IsPresentAsync(cancel).ConfigureAwait(false))
            {
                RulesGone(log, table.Name);
                return false;
            }
        }

        return true;
    }

    private async Task<bool> SyncAsync(bool full, CancellationToken cancel)
    {
        var ports = services.Take(node());
        var ok = true;
        foreach (var table in tables)
        {
            ok &= await SyncAsync(table, ports, full, cancel).ConfigureAwait(false);
        }

        if (ok)
        {
            CleanFlows(ports);
            health.Updated();
            metrics.NoLocalEndpointsExternal.Set(ports.Count(p => p is { ExternalLocal: true, IsExternal: true, LocalEndpoints.Count: 0 }), "external");
            metrics.NoLocalEndpointsExternal.Set(ports.Count(p => p is { InternalLocal: true, LocalEndpoints.Count: 0 }), "internal");
            await (Synced?.Invoke(ports, cancel) ?? Task.CompletedTask).ConfigureAwait(false);
            await (FirstSynced?.Invoke(cancel) ?? Task.CompletedTask).ConfigureAwait(false);
            FirstSynced = null;
        }

        return ok;
    }

    private async Task<bool> SyncAsync(IRuleTable table, List<ServicePort> ports, bool full, CancellationToken cancel)
    {
        var v6 = table.IsV6;
        var family = v6 ? "IPv6" : "IPv4";
        var mine = ports.FindAll(p => p.ClusterIP.AddressFamily == AddressFamily.InterNetworkV6 == v6);
        var start = time.GetTimestamp();
        if (await table.SyncAsync(mine, full, cancel).ConfigureAwait(false) is { } failed)
        {
            metrics.Failures.Inc(family);
            SyncFailed(log, table.Name, failed.Trim());
            return false;
        }

        var took = time.GetElapsedTime(start);
        metrics.SyncDuration.Observe(took, family);
        (full ? metrics.FullSyncDuration : metrics.PartialSyncDuration).Observe(took, family);
        metrics.LastSync.Set(time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0, family);
        RulesSynced(log, table.Name, full ? "full" : "partial", mine.Count, took.TotalMilliseconds);
        return true;
    }

    /// <summary>UDP flows that were translated by rules of before. Failing is no reason to stop: new flows are right.</summary>
    private void CleanFlows(List<ServicePort> ports)
    {
        var udp = ports.FindAll(p => p.Protocol == L4Protocol.Udp);
        if (udp.Count == _udp.Count && udp.TrueForAll(_udp.Contains))
        {
            return;
        }

        try
        {
            foreach (var table in tables)
            {
                var v6 = table.IsV6;
                var family = v6 ? ConntrackTable.FamilyV6 : ConntrackTable.FamilyV4;
                var stale = StaleFlows.Find(ConntrackTable.ListUdp(family), udp, NodeAddresses());
                ConntrackTable.Delete(family, stale);
                metrics.FlowsDeleted.Add(stale.Count, v6 ? "IPv6" : "IPv4");
                FlowsCleaned(log, stale.Count);
            }

            _udp.Clear();
            _udp.UnionWith(udp);
        }
        catch (Win32Exception e)
        {
            FlowsFailed(log, e.Message);
        }
    }

    private static HashSet<IPAddress> NodeAddresses() =>
        [.. NetworkInterface.GetAllNetworkInterfaces().SelectMany(i => i.GetIPProperties().UnicastAddresses).Select(a => a.Address)];

    [LoggerMessage(LogLevel.Debug, "Rules of {Table} synced ({Kind}, {Ports} ports, {Milliseconds:F1} ms)")]
    private static partial void RulesSynced(ILogger logger, string table, string kind, int ports, double milliseconds);

    [LoggerMessage(LogLevel.Error, "Rules of {Table} could not be changed, trying again with all of them: {Reason}")]
    private static partial void SyncFailed(ILogger logger, string table, string reason);

    [LoggerMessage(LogLevel.Warning, "The rules of {Table} are gone, somebody removed them: writing them again")]
    private static partial void RulesGone(ILogger logger, string table);

    [LoggerMessage(LogLevel.Debug, "{Count} stale UDP flows deleted")]
    private static partial void FlowsCleaned(ILogger logger, int count);

    [LoggerMessage(LogLevel.Warning, "Stale UDP flows could not be cleaned: {Reason}")]
    private static partial void FlowsFailed(ILogger logger, string reason);
}
