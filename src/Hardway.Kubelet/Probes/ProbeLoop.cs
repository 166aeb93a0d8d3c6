using Hardway.Api.Core.V1;
using Hardway.Kubelet.Events;

namespace Hardway.Kubelet.Probes;

/// <summary>Which probe of which running container.</summary>
internal sealed record ProbeTarget(Pod Pod, Container Container, ProbeKind Kind, Probe Probe, string ContainerId, DateTimeOffset StartedAt, IReadOnlyList<string> PodIps);

/// <summary>
/// One probe of one container, every period from its initial delay on, until disposed. Liveness and readiness wait for startup;
/// startup ends when it has succeeded. The verdict may be read by any thread.
/// </summary>
internal sealed class ProbeLoop : IAsyncDisposable
{
    private readonly ProbeTarget _target;
    private readonly Prober _prober;
    private readonly PodEvents _events;
    private readonly Action _wake;
    private readonly Func<bool> _started;
    private readonly TimeProvider _time;
    private readonly ProbeState _state;
    private readonly CancellationTokenSource _end;
    private readonly Task _run;
    private volatile int _verdict;

    public ProbeLoop(ProbeTarget target, Prober prober, PodEvents events, Action wake, Func<bool> started, TimeProvider time, CancellationToken stop)
    {
        (_target, _prober, _events, _wake, _started, _time) = (target, prober, events, wake, started, time);
        _state = new ProbeState(target.Kind, Math.Max(1, target.Probe.SuccessThreshold), target.Probe.FailureThreshold > 0 ? target.Probe.FailureThreshold : 3);
        _state.Follow(target.ContainerId);
        if (target.Kind == ProbeKind.Readiness && WasReady(target))
            _state.Resume(ProbeOutcome.Success);
        _verdict = (int)_state.Verdict;
        _end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        _run = RunAsync(_end.Token);
    }

    public string ContainerId => _target.ContainerId;

    public ProbeOutcome Verdict => (ProbeOutcome)_verdict;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _run;
        _end.Dispose();
        _prober.Metrics.Forget(_target);
    }

    /// <summary>A kubelet that was restarted goes on from what it told before.</summary>
    private static bool WasReady(ProbeTarget target) => (target.Pod.Status.ContainerStatuses ?? []).Concat(target.Pod.Status.InitContainerStatuses ?? [])
        .Any(s => s.Name == target.Container.Name && s.Ready && s.ContainerID == "containerd://" + target.ContainerId);

    private async Task RunAsync(CancellationToken stop)
    {
        var period = TimeSpan.FromSeconds(Math.Max(1, _target.Probe.PeriodSeconds > 0 ? _target.Probe.PeriodSeconds : 10));
        try
        {
            var first = _target.StartedAt + TimeSpan.FromSeconds(_target.Probe.InitialDelaySeconds) - _time.GetUtcNow();
            if (first > TimeSpan.Zero)
                await Task.Delay(first, _time, stop);
            while (!stop.IsCancellationRequested)
            {
                if (_target.Kind == ProbeKind.Startup || _started())
                    await OnceAsync(stop);
                if (_state.OnHold || (_target.Kind == ProbeKind.Startup && Verdict == ProbeOutcome.Success))
                    return;
                await Task.Delay(_target.Kind != ProbeKind.Startup && !_started() ? TimeSpan.FromMilliseconds(500) : period, _time, stop);
            }
        }
        catch (OperationCanceledException)
        {
            // The container or the kubelet ended.
        }
    }

    private async Task OnceAsync(CancellationToken stop)
    {
        var (outcome, message) = await _prober.RunAsync(_target.Probe, _target.Container, _target.ContainerId, _target.PodIps, stop);
        _prober.Metrics.Count(_target, outcome);
        if (outcome == ProbeOutcome.Failure)
            _events.Warning(_target.Pod, _target.Container, "Unhealthy", $"{_target.Kind} probe failed: {message}");
        if (!_state.Observe(outcome))
            return;
        _verdict = (int)_state.Verdict;
        _wake();
    }
}
