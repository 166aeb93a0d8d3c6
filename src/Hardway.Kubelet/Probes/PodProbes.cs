using Hardway.Api.Core.V1;
using Hardway.Kubelet.Events;
using Hardway.Kubelet.Pods;
using Hardway.Kubelet.Runtime;

namespace Hardway.Kubelet.Probes;

/// <summary>
/// The probes of one Pod: one loop a probe of a running container, started and ended as containers come and go. When a verdict
/// changes, the Pod's worker is woken. Owned by the worker; its methods are called from there, one at a time.
/// </summary>
internal sealed class PodProbes(Prober prober, PodEvents events, Action wake, TimeProvider time) : IAsyncDisposable
{
    private readonly Dictionary<(string Container, ProbeKind Kind), ProbeLoop> _loops = [];

    /// <summary>Starts loops for containers that run and ends those of containers that do not.</summary>
    public async Task FollowAsync(Pod pod, RuntimePod runtime, CancellationToken stop)
    {
        foreach (var container in Qos.PodQos.AllContainers(pod))
        {
            foreach (var (kind, probe) in ProbesOf(container))
            {
                var latest = runtime.Latest(container.Name);
                if (latest?.IsRunning == true)
                    await EnsureAsync(pod, container, kind, probe, latest, runtime.Ips, stop);
                else if (_loops.Remove((container.Name, kind), out var loop))
                    await loop.DisposeAsync();
            }
        }
    }

    public ProbeOutcome? Verdict(string container, ProbeKind kind, string containerId) =>
        _loops.TryGetValue((container, kind), out var loop) && loop.ContainerId == containerId ? loop.Verdict : null;

    /// <summary>Ends liveness and startup probes of a Pod that is going away; readiness goes on, so that it leaves its Services.</summary>
    public async Task EndKillingAsync()
    {
        foreach (var key in _loops.Keys.Where(k => k.Kind != ProbeKind.Readiness).ToList())
        {
            if (_loops.Remove(key, out var loop))
                await loop.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var loop in _loops.Values)
            await loop.DisposeAsync();
        _loops.Clear();
    }

    public static IEnumerable<(ProbeKind Kind, Probe Probe)> ProbesOf(Container container)
    {
        if (container.StartupProbe is { } startup)
            yield return (ProbeKind.Startup, startup);
        if (container.LivenessProbe is { } liveness)
            yield return (ProbeKind.Liveness, liveness);
        if (container.ReadinessProbe is { } readiness)
            yield return (ProbeKind.Readiness, readiness);
    }

    private async Task EnsureAsync(Pod pod, Container container, ProbeKind kind, Probe probe, RuntimeContainer running, IReadOnlyList<string> ips, CancellationToken stop)
    {
        var key = (container.Name, kind);
        if (_loops.TryGetValue(key, out var loop))
        {
            if (loop.ContainerId == running.Id)
                return;
            await loop.DisposeAsync();
        }
        if (pod.IsTerminating() && kind != ProbeKind.Readiness)
            return;
        var podIps = pod.HostNetwork() ? [pod.Status.HostIP] : ips;
        _loops[key] = new ProbeLoop(
            new ProbeTarget(pod, container, kind, probe, running.Id, running.StartedAt ?? time.GetUtcNow(), podIps), prober, events, wake,
            () => container.StartupProbe == null || Verdict(container.Name, ProbeKind.Startup, running.Id) == ProbeOutcome.Success, time, stop);
    }
}
