using System.Threading.Channels;
using Hardway.Client;
using Hardway.Hosting;
using Microsoft.Extensions.Logging;

namespace Hardway.Proxy.Policies;

/// <summary>
/// The loop that keeps this node's NetworkPolicy rules: changes are coalesced while a script runs and for a short rest after it; a failure is tried
/// again with all rules; twice a minute it is checked that the rules are still there.
/// </summary>
internal sealed partial class PolicyEnforcer
{
    private static readonly TimeSpan s_rest = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_checkPeriod = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_maxWait = TimeSpan.FromSeconds(30);
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly PolicyIndex _index = new();
    private readonly PolicyWatch _watch;
    private readonly PolicyTable _table;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Histogram _duration;
    private readonly Counter _failures;

    public PolicyEnforcer(KubeClient client, ILoggerFactory logs, string node, PolicyTable table, Metrics metrics)
    {
        _watch = new PolicyWatch(client, logs, node, () => _signal.Writer.TryWrite(true));
        _table = table;
        _time = client.Time;
        _log = logs.CreateLogger("NetworkPolicy");
        _duration = metrics.Histogram("hardway_network_policy_sync_duration_seconds", "Time to bring this node's NetworkPolicy rules up to date");
        _failures = metrics.Counter("hardway_network_policy_sync_failures_total", "NetworkPolicy syncs that failed");
    }

    public async Task RunAsync(CancellationToken cancel)
    {
        using var early = EarlyAddresses();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var watching = _watch.RunAsync(ended.Token);
        try
        {
            await EnforceAsync(cancel).ConfigureAwait(false);
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Null where the runtime's notes cannot be watched: then a new Pod is isolated when the API knows its address.</summary>
    private CniResults? EarlyAddresses()
    {
        try
        {
            var results = new CniResults(CniResults.Folder, _watch.PodChanged);
            _watch.UseAddresses(results.AddressesOf);
            return results;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            NoEarlyAddresses(_log, CniResults.Folder, e.Message);
            return null;
        }
    }

    private async Task EnforceAsync(CancellationToken cancel)
    {
        // Rules of a run before: they stay until it is known that there is nothing to enforce, or what.
        if (await _watch.HasNoneAsync(cancel).ConfigureAwait(false) && await _table.SyncAsync(PolicyRuleSet.Empty, cancel).ConfigureAwait(false) is { } failed)
        {
            SyncFailed(_log, failed.Trim());
        }

        await _watch.WaitForSyncAsync(cancel).ConfigureAwait(false);
        var wait = s_rest;
        while (!cancel.IsCancellationRequested)
        {
            _signal.Reader.TryRead(out _);
            var ok = await SyncAsync(cancel).ConfigureAwait(false);
            wait = ok ? s_rest : TimeSpan.FromTicks(Math.Min((wait * 2).Ticks, s_maxWait.Ticks));
            await Task.Delay(wait, _time, cancel).ConfigureAwait(false);
            while (ok && !await SignalledAsync(cancel).ConfigureAwait(false) && await _table.IsPresentAsync(cancel).ConfigureAwait(false))
            {
                // quiet, and everything is in place
            }
        }
    }

    private async Task<bool> SyncAsync(CancellationToken cancel)
    {
        var start = _time.GetTimestamp();
        _watch.Apply(_index);
        var wanted = _index.Build();
        if (await _table.SyncAsync(wanted, cancel).ConfigureAwait(false) is { } failed)
        {
            _failures.Inc();
            SyncFailed(_log, failed.Trim());
            return false;
        }

        var took = _time.GetElapsedTime(start);
        _duration.Observe(took);
        Synced(_log, wanted.Elements.Count, wanted.Sets.Count, took.TotalMilliseconds);
        return true;
    }

    /// <summary>True when there was a change, false when a check is due.</summary>
    private async Task<bool> SignalledAsync(CancellationToken cancel)
    {
        using var period = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var timer = _time.CreateTimer(static s => ((CancellationTokenSource)s!).Cancel(), period, s_checkPeriod, Timeout.InfiniteTimeSpan);
        try
        {
            return await _signal.Reader.WaitToReadAsync(period.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    [LoggerMessage(LogLevel.Debug, "NetworkPolicy rules synced ({Elements} elements of maps, {Sets} sets, {Milliseconds:F1} ms)")]
    private static partial void Synced(ILogger logger, int elements, int sets, double milliseconds);

    [LoggerMessage(LogLevel.Warning, "{Folder} cannot be watched, so new Pods are isolated only once the API has their addresses: {Reason}")]
    private static partial void NoEarlyAddresses(ILogger logger, string folder, string reason);

    [LoggerMessage(LogLevel.Error, "NetworkPolicy rules could not be changed, trying again with all of them: {Reason}")]
    private static partial void SyncFailed(ILogger logger, string reason);
}
