using Hardway.Api.Core.V1;
using Hardway.Kubelet.Probes;
using Hardway.Kubelet.Qos;
using Hardway.Kubelet.Resizing;
using Hardway.Kubelet.Runtime;
using Hardway.Kubelet.Status;

namespace Hardway.Kubelet.Pods;

/// <summary>What a Pod's worker itself knows of its containers: why each waits, and what its probes found. Used by the worker only.</summary>
internal sealed class PodFacts(PodProbes probes, ResizeProgress resize)
{
    private readonly Dictionary<string, (string Reason, string Message)> _waiting = new(StringComparer.Ordinal);

    public void Waits(string container, string reason, string message) => _waiting[container] = (reason, message);

    public void Waits(string container) => _waiting.Remove(container);

    public void Clear() => _waiting.Clear();

    public ContainerFacts Of(Pod pod, RuntimePod runtime, string name)
    {
        var container = PodQos.AllContainers(pod).FirstOrDefault(c => c.Name == name);
        var id = runtime.Latest(name)?.Id ?? "";
        var waits = _waiting.TryGetValue(name, out var reason);
        return new ContainerFacts
        {
            WaitingReason = waits ? reason.Reason : null,
            WaitingMessage = waits ? reason.Message : "",
            ReadinessPassed = container?.ReadinessProbe == null ? null : probes.Verdict(name, ProbeKind.Readiness, id) == ProbeOutcome.Success,
            Actuated = container == null || runtime.Latest(name)?.IsRunning != true ? null : resize.ActuatedResources(pod, name),
            StartupPassed = container?.StartupProbe == null ? null : probes.Verdict(name, ProbeKind.Startup, id) == ProbeOutcome.Success,
        };
    }

    /// <summary>Why a running container must be stopped, or null.</summary>
    public string? ProbeFailure(RuntimeContainer container) =>
        probes.Verdict(container.Name, ProbeKind.Liveness, container.Id) == ProbeOutcome.Failure ? $"Container {container.Name} failed liveness probe, will be restarted"
        : probes.Verdict(container.Name, ProbeKind.Startup, container.Id) == ProbeOutcome.Failure ? $"Container {container.Name} failed startup probe, will be restarted"
        : null;
}
