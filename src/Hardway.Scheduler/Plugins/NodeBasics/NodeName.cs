using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.NodeBasics;

/// <summary>A Pod that names its node fits there only.</summary>
internal sealed class NodeName : Plugin, IPreFilter, IFilter
{
    private readonly Refusal _other = new(RefusalKind.UnschedulableAndUnresolvable, nameof(NodeName), "node(s) didn't match the requested node name");

    public override string Name => nameof(NodeName);

    public override ClusterEvents Wakes => ClusterEvents.NodeAdded;

    public override bool Helps(PodInfo pod, in ClusterEvent happened) => happened.Node is not { } node || node.Metadata.Name == pod.Pod.Spec.NodeName;

    public PreFilterAnswer PreFilter(Cycle cycle) => cycle.Pod.Pod.Spec.NodeName.Length == 0 ? PreFilterAnswer.Skip : PreFilterAnswer.Go;

    public Refusal? Filter(Cycle cycle, NodeInfo node) => cycle.Pod.Pod.Spec.NodeName != node.Name ? _other : null;
}
