using Hardway.Api;
using Hardway.Api.Coordination.V1;
using Hardway.Hosting;
using Microsoft.Extensions.Logging;

namespace Hardway.Client;

/// <summary>
/// One of several instances works: the one that holds the Lease.
/// <code>
/// 1 standby: every retry period, read the Lease. Take it when nobody holds it, or when it has not changed for the lease duration
///   by our own clock since we saw its last change (clocks of machines are never compared)
/// 2 leader: renew every retry period, on the resource version last seen
/// 3 not renewed for the renew deadline: the work's token is cancelled; this is before the lease duration, so nobody else works yet
/// 4 clean stop: the work ends first, then the Lease is given up (holder "", duration 1 s), and a standby takes it at its next try
/// </code>
/// </summary>
public sealed partial class LeaderElector
{
    private readonly KubeClient _client;
    private readonly LeaderElectionOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly EventRecorder? _events;
    private readonly string _component;
    private readonly Gauge? _status;
    private Lease? _observed;
    private long _observedAt;
    private string _reportedLeader = "";

    public LeaderElector(KubeClient client, LeaderElectionOptions options, string component, ILoggerFactory logs, Metrics? metrics = null, EventRecorder? events = null, string? identity = null)
    {
        _client = client;
        _options = options;
        _time = client.Time;
        _component = component;
        _events = events;
        _log = logs.CreateLogger("LeaderElection");
        Identity = identity ?? $"{Environment.MachineName.ToLowerInvariant()}_{Guid.NewGuid()}";
        _status = metrics?.Gauge("leader_election_master_status", "Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master.", "name");
        _status?.Set(0, options.ResourceName);
    }

    public string Identity { get; }

    public bool IsLeader { get; private set; }

    /// <summary>The health check "leaderElection": a leader that has not renewed for the lease duration and 20 s more should be started anew.</summary>
    public string? Check() =>
        IsLeader && _time.GetElapsedTime(_observedAt) > _options.LeaseDuration + TimeSpan.FromSeconds(20) ? $"failed election to renew leadership on lease {_options.ResourceName}" : null;

    /// <summary>
    /// Waits for the Lease, runs <paramref name="work"/>, and returns when the token is cancelled (Lease released) or the work ended. A Lease that is
    /// lost is a <see cref="ComponentException"/>: the process must end, and start again as a standby.
    /// </summary>
    public async Task RunAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        await AcquireAsync(cancellationToken);
        IsLeader = true;
        _status?.Set(1, _options.ResourceName);
        LogAcquired(_log, _options.ResourceNamespace, _options.ResourceName, Identity);
        _events?.Normal(_observed!, "LeaderElection", $"{Identity} became leader");
        using var working = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var job = Task.Run(() => work(working.Token), CancellationToken.None);
        var renewing = RenewAsync(working.Token);
        var first = await Task.WhenAny(job, renewing);
        await working.CancelAsync();
        IsLeader = false;
        _status?.Set(0, _options.ResourceName);
        var lost = first == renewing && !cancellationToken.IsCancellationRequested;
        if (lost)
        {
            LogLost(_log, _options.ResourceNamespace, _options.ResourceName);
            throw new ComponentException("leaderelection lost");
        }
        await renewing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            await job;
        }
        catch (OperationCanceledException) when (working.IsCancellationRequested)
        {
        }
        finally
        {
            await ReleaseAsync();
        }
    }

    private async Task AcquireAsync(CancellationToken ct)
    {
        LogTrying(_log, _options.ResourceNamespace, _options.ResourceName, Identity);
        while (!await TryAsync(ct))
        {
            await Task.Delay(_options.RetryPeriod * (1 + (0.2 * Random.Shared.NextDouble())), _time, ct);
        }
    }

    /// <summary>Ends when the renew deadline passed without a renewal, or the token is cancelled.</summary>
    private async Task RenewAsync(CancellationToken ct)
    {
        var renewed = _time.GetTimestamp();
        while (!ct.IsCancellationRequested)
        {
            await Task.Delay(_options.RetryPeriod, _time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ct.IsCancellationRequested) return;
            var left = _options.RenewDeadline - _time.GetElapsedTime(renewed);
            if (left <= TimeSpan.Zero) return;
            // The renewal counts from before the request: a standby may have seen it any time after.
            var started = _time.GetTimestamp();
            using var deadline = new CancellationTokenSource(left, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, ct);
            if (await TryAsync(either.Token, ct)) renewed = started;
            else if (HolderOf(_observed) is { Length: > 0 } other && other != Identity) return;
        }
    }

    /// <summary>One try to take or keep the Lease. Errors are logged and false.</summary>
    private async Task<bool> TryAsync(CancellationToken ct, CancellationToken? stop = null)
    {
        try
        {
            return await TryOnceAsync(ct);
        }
        catch (OperationCanceledException) when ((stop ?? ct).IsCancellationRequested)
        {
            if (stop is null) throw;
            return false;
        }
        catch (ApiException e) when (e.IsConflict || e.IsAlreadyExists)
        {
            // Somebody else was first; the next try sees who.
            if (IsLeader) _observed = null;
            return false;
        }
        catch (Exception e)
        {
            LogFailed(_log, _options.ResourceNamespace, _options.ResourceName, e.InnerException is { } inner ? $"{e.Message} {inner.Message}" : e.Message);
            return false;
        }
    }

    private async Task<bool> TryOnceAsync(CancellationToken ct)
    {
        // The leader renews what it wrote last, without reading it first.
        if (IsLeader && _observed is not null && HolderOf(_observed) == Identity)
        {
            Observe(await _client.UpdateAsync(Renewed(_observed), ct));
            return true;
        }
        var current = await _client.TryGetAsync<Lease>(_options.ResourceNamespace, _options.ResourceName, ct);
        if (current is null)
        {
            Observe(await _client.CreateAsync(New(), ct));
            return true;
        }
        if (_observed is null || _observed.Metadata.ResourceVersion != current.Metadata.ResourceVersion) Observe(current);
        var holder = HolderOf(current);
        if (holder.Length > 0 && holder != Identity && !Expired(current)) return false;
        Observe(await _client.UpdateAsync(holder == Identity ? Renewed(current) : Taken(current), ct));
        return true;
    }

    private bool Expired(Lease lease)
    {
        var duration = lease.Spec.LeaseDurationSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : _options.LeaseDuration;
        return _time.GetElapsedTime(_observedAt) >= duration;
    }

    private void Observe(Lease lease)
    {
        _observed = lease;
        _observedAt = _time.GetTimestamp();
        var holder = HolderOf(lease);
        if (holder == _reportedLeader) return;
        _reportedLeader = holder;
        if (holder != Identity) LogLeader(_log, _options.ResourceName, holder.Length > 0 ? holder : "nobody");
    }

    private Lease New()
    {
        var lease = new Lease { Spec = Held(_time.GetUtcNow(), 0) };
        lease.Metadata.Namespace = _options.ResourceNamespace;
        lease.Metadata.Name = _options.ResourceName;
        return lease;
    }

    private Lease Taken(Lease old)
    {
        var lease = old.Clone();
        lease.Spec = Held(_time.GetUtcNow(), (old.Spec.LeaseTransitions ?? 0) + 1);
        return lease;
    }

    private Lease Renewed(Lease old)
    {
        var lease = old.Clone();
        lease.Spec = Held(old.Spec.AcquireTime ?? _time.GetUtcNow(), old.Spec.LeaseTransitions ?? 0);
        return lease;
    }

    private LeaseSpec Held(DateTimeOffset acquired, int transitions) => new()
    {
        HolderIdentity = Identity,
        LeaseDurationSeconds = (int)_options.LeaseDuration.TotalSeconds,
        AcquireTime = acquired,
        RenewTime = _time.GetUtcNow(),
        LeaseTransitions = transitions,
    };

    private async Task ReleaseAsync()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(3), _time);
        try
        {
            // A renewal that was under way when the stop came may have changed the version: then once more on what is there.
            for (var attempt = 0; attempt < 3 && _observed is not null && HolderOf(_observed) == Identity; attempt++)
            {
                try
                {
                    await _client.UpdateAsync(Released(_observed), deadline.Token);
                    LogReleased(_log, _options.ResourceNamespace, _options.ResourceName, _component);
                    return;
                }
                catch (ApiException e) when (e.IsConflict)
                {
                    _observed = await _client.TryGetAsync<Lease>(_options.ResourceNamespace, _options.ResourceName, deadline.Token);
                }
            }
        }
        catch (Exception e)
        {
            LogFailed(_log, _options.ResourceNamespace, _options.ResourceName, $"not released: {e.Message}");
        }
    }

    private Lease Released(Lease held)
    {
        var lease = held.Clone();
        lease.Spec = new LeaseSpec { HolderIdentity = "", LeaseDurationSeconds = 1, AcquireTime = _time.GetUtcNow(), RenewTime = _time.GetUtcNow(), LeaseTransitions = held.Spec.LeaseTransitions };
        return lease;
    }

    private static string HolderOf(Lease? lease) => lease?.Spec.HolderIdentity ?? "";

    [LoggerMessage(Level = LogLevel.Information, Message = "attempting to acquire leader lease {Namespace}/{Name} as {Identity}")]
    private static partial void LogTrying(ILogger logger, string @namespace, string name, string identity);

    [LoggerMessage(Level = LogLevel.Information, Message = "successfully acquired lease {Namespace}/{Name} as {Identity}")]
    private static partial void LogAcquired(ILogger logger, string @namespace, string name, string identity);

    [LoggerMessage(Level = LogLevel.Information, Message = "leader of {Name} is {Holder}")]
    private static partial void LogLeader(ILogger logger, string name, string holder);

    [LoggerMessage(Level = LogLevel.Error, Message = "lost lease {Namespace}/{Name}: it could not be renewed in time or another holds it")]
    private static partial void LogLost(ILogger logger, string @namespace, string name);

    [LoggerMessage(Level = LogLevel.Information, Message = "released lease {Namespace}/{Name} of {Component}")]
    private static partial void LogReleased(ILogger logger, string @namespace, string name, string component);

    [LoggerMessage(Level = LogLevel.Warning, Message = "lease {Namespace}/{Name}: {Reason}")]
    private static partial void LogFailed(ILogger logger, string @namespace, string name, string reason);
}
