using Hardway.Hosting;
using Hardway.Kubelet.Probes;

namespace Hardway.Kubelet.Stats;

/// <summary>/metrics/probes: how often each probe came out how. Those of a container that is gone are forgotten.</summary>
internal sealed class ProbeMetrics
{
    private static readonly string[] Results = ["successful", "failed", "unknown"];
    private readonly Counter _total;

    public ProbeMetrics() => _total = Registry.Counter("prober_probe_total", "Cumulative number of a liveness, readiness or startup probe for a container by result.", "probe_type", "result", "container", "pod", "namespace", "pod_uid");

    public Metrics Registry { get; } = new();

    public void Count(ProbeTarget target, ProbeOutcome outcome) => _total.Inc(Labels(target, outcome switch { ProbeOutcome.Success => Results[0], ProbeOutcome.Failure => Results[1], _ => Results[2] }));

    public void Forget(ProbeTarget target)
    {
        foreach (var result in Results)
            _total.Remove(Labels(target, result));
    }

    private static string[] Labels(ProbeTarget target, string result) =>
        [target.Kind.ToString(), result, target.Container.Name, target.Pod.Metadata.Name, target.Pod.Metadata.Namespace, target.Pod.Metadata.Uid];
}
