using System.Threading.Channels;
using Hardway.Api.Core.V1;
using Hardway.Client;
using Hardway.Grpc;
using Hardway.Kubelet.Probes;
using Hardway.Kubelet.Resizing;
using Hardway.Kubelet.Status;
using Microsoft.Extensions.Logging;

namespace Hardway.Kubelet.Pods;

/// <summary>
/// One Pod's life on this node, in one sequential loop. Others only tell it the newest Pod, or wake it; every turn reads what the runtime
/// has and takes the next steps, so a turn may be repeated and a kubelet may be restarted at any point.
/// <code>
///   Syncing ──(deleted, finished, refused)──► Terminating ──► Ended ──(object gone)──► left
/// </code>
/// A turn is cut short when the Pod's deletion arrives or its grace becomes less.
/// </summary>
internal sealed partial class PodWorker : IDisposable
{
    private static readonly TimeSpan LeastRetry = TimeSpan.FromSeconds(1), MostRetry = TimeSpan.FromSeconds(30);

    private readonly PodServices _services;
    private readonly PodSync _sync;
    private readonly PodTermination _termination;
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Lock _gate = new();
    private Pod _pod;
    private bool _removed;
    private PodEviction? _eviction;
    private readonly TaskCompletionSource _evicted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenSource? _turn;
    private int _failures;

    public PodWorker(Pod pod, PodServices services, bool orphan)
    {
        _pod = pod;
        _removed = orphan;
        _services = services;
        var probes = new PodProbes(services.Prober, services.Events, Wake, services.Time);
        var resize = new ResizeProgress(services.Allocations, services.Admission);
        var facts = new PodFacts(probes, resize);
        _sync = new PodSync(services, probes, facts, resize);
        _termination = new PodTermination(services, probes, facts);
    }

    public bool IsLeaving { get { lock (_gate) return _removed; } }

    public Pod Pod { get { lock (_gate) return _pod; } }

    public void Dispose() => _turn?.Dispose();

    public void Wake() => _wake.Writer.TryWrite(true);

    public void DataChanged()
    {
        _sync.DataChanged();
        Wake();
    }

    public void Update(Pod pod)
    {
        lock (_gate)
        {
            var hurry = pod.IsTerminating() && (!_pod.IsTerminating() || pod.GraceSeconds() < _pod.GraceSeconds());
            _pod = pod;
            if (hurry)
                _turn?.Cancel();
        }
        Wake();
    }

    /// <summary>True while the Pod may use the node: it is neither going nor finished.</summary>
    public bool IsActive
    {
        get
        {
            lock (_gate)
                return !_removed && _eviction == null && !_pod.IsTerminating() && !_pod.Status.IsFinished() && _services.Status.Get(_pod.Metadata.Uid)?.IsFinished() != true;
        }
    }

    /// <summary>The kubelet ends the Pod of its own accord; the task ends when nothing of it runs any more.</summary>
    public Task Evict(PodEviction eviction)
    {
        lock (_gate)
        {
            if (_eviction == null && !_removed && !_pod.IsTerminating())
            {
                _eviction = eviction;
                _turn?.Cancel();
            }
        }
        Wake();
        return _evicted.Task;
    }

    /// <summary>The object is gone from the API (or the file from the directory): everything of it goes.</summary>
    public void Remove()
    {
        lock (_gate)
        {
            if (_removed)
                return;
            _removed = true;
            if (!_pod.IsTerminating())
                _turn?.Cancel();
        }
        Wake();
    }

    /// <summary>Ends when nothing of the Pod is left, or with the kubelet (which leaves containers running).</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                var (left, pause) = await TurnAsync(stop);
                if (left)
                    return;
                await WaitAsync(pause, stop);
            }
        }
        finally
        {
            _evicted.TrySetResult();
            await _sync.Probes.DisposeAsync();
        }
    }

    private async Task<(bool Left, TimeSpan Pause)> TurnAsync(CancellationToken stop)
    {
        using var turn = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Pod pod;
        bool removed;
        PodEviction? eviction;
        lock (_gate)
        {
            (pod, removed, eviction) = (_pod, _removed, _eviction);
            _turn = turn;
        }
        try
        {
            var result = removed ? (await _termination.LeaveAsync(pod, turn.Token), TimeSpan.Zero)
                : pod.IsTerminating() ? (false, await _termination.DeleteAsync(pod, turn.Token))
                : (false, eviction != null ? await _termination.FinishAsync(pod, eviction, turn.Token) : await SyncAsync(pod, stop, turn.Token));
            _failures = 0;
            if (eviction != null || pod.IsTerminating())
                _evicted.TrySetResult();
            return result;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return (false, TimeSpan.Zero);
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            var pause = Retry();
            if (e is GrpcException or ApiException or HttpRequestException or IOException)
                LogFailed(_services.Log, pod.Metadata.Namespace, pod.Metadata.Name, e.Message, pause.TotalSeconds);
            else
                LogBroken(_services.Log, e, pod.Metadata.Namespace, pod.Metadata.Name);
            return (false, pause);
        }
        finally
        {
            lock (_gate)
                _turn = null;
        }
    }

    private async Task<TimeSpan> SyncAsync(Pod pod, CancellationToken stop, CancellationToken turn)
    {
        var outcome = await _sync.TurnAsync(pod, stop, turn);
        if (outcome.Eviction is { } eviction)
        {
            lock (_gate)
                _eviction ??= eviction;
            return LeastRetry / 1000;
        }
        return outcome.Finished ? await _termination.FinishAsync(pod, null, turn) : outcome.Again;
    }

    private TimeSpan Retry()
    {
        var pause = LeastRetry * Math.Pow(2, Math.Min(_failures++, 5));
        return pause < MostRetry ? pause : MostRetry;
    }

    private async Task WaitAsync(TimeSpan pause, CancellationToken stop)
    {
        if (pause == TimeSpan.Zero)
            return;
        using var limit = new CancellationTokenSource(pause, _services.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
        try
        {
            await _wake.Reader.ReadAsync(both.Token);
        }
        catch (OperationCanceledException)
        {
            // Time to look again, or to end.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Pod {Namespace}/{Name}: {Reason}; tried again in {Seconds} s")]
    private static partial void LogFailed(ILogger log, string @namespace, string name, string reason, double seconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "Pod {Namespace}/{Name}: a turn failed unexpectedly")]
    private static partial void LogBroken(ILogger log, Exception e, string @namespace, string name);
}
