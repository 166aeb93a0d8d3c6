using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.NodeBasics;

/// <summary>A Pod that names its node fits there only.</summary>
internal sealed class NodeName : Plugin, IFilter
{
    private readonly Refusal _other = new(RefusalKind.UnschedulableAndUnresolvable, nameof(NodeName), "node(s) didn't match the requested node name");

    public override string Name => nameof(NodeName);

    public override ClusterEvents Wakes => ClusterEvents.NodeAdded;

    public Refusal? Filter(Cycle cycle, NodeInfo node) =>
        cycle.Pod.Pod.Spec.NodeName is { Length: > 0 } wanted && wanted != node.Name ? _other : null;
}
