using System.Threading.Channels;
using Hardway.Api.Core.V1;
using Hardway.Client;
using Hardway.Grpc;
using Hardway.Kubelet.Probes;
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
    private CancellationTokenSource? _turn;
    private int _failures;

    public PodWorker(Pod pod, PodServices services, bool orphan)
    {
        _pod = pod;
        _removed = orphan;
        _services = services;
        var probes = new PodProbes(services.Prober, services.Events, Wake, services.Time);
        var facts = new PodFacts(probes);
        _sync = new PodSync(services, probes, facts);
        _termination = new PodTermination(services, probes, facts);
    }

    public bool IsLeaving { get { lock (_gate) return _removed; } }

    public Pod Pod { get { lock (_gate) return _pod; } }

    public void Dispose() => _turn?.Dispose();

    public void Wake() => _wake.Writer.TryWrite(true);

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
            await _sync.Probes.DisposeAsync();
        }
    }

    private async Task<(bool Left, TimeSpan Pause)> TurnAsync(CancellationToken stop)
    {
        using var turn = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Pod pod;
        bool removed;
        lock (_gate)
        {
            (pod, removed) = (_pod, _removed);
            _turn = turn;
        }
        try
        {
            var result = removed ? (await _termination.LeaveAsync(pod, turn.Token), TimeSpan.Zero)
                : pod.IsTerminating() ? (false, await _termination.DeleteAsync(pod, turn.Token))
                : (false, await SyncAsync(pod, stop, turn.Token));
            _failures = 0;
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
        return outcome.Finished ? await _termination.FinishAsync(pod, turn) : outcome.Again;
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
