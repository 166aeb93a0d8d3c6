using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.Queueing;

/// <summary>A Pod with scheduling gates waits outside the queue until they are removed (KEP-3521).</summary>
internal sealed class SchedulingGates : Plugin, IPreEnqueue
{
    public override string Name => nameof(SchedulingGates);

    public override ClusterEvents Wakes => ClusterEvents.PodItself;

    public Refusal? PreEnqueue(PodInfo pod) => pod.Pod.Spec.SchedulingGates is { Count: > 0 } gates
        ? new Refusal(RefusalKind.UnschedulableAndUnresolvable, Name, $"waiting for scheduling gates: [{string.Join(' ', gates.Select(g => g.Name))}]")
        : null;
}
