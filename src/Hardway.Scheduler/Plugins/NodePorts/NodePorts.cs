using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.NodePorts;

/// <summary>Host ports must be free.</summary>
internal sealed class NodePortsPlugin : Plugin, IFilter
{
    private readonly Refusal _taken = new(RefusalKind.Unschedulable, "NodePorts", "node(s) didn't have free ports for the requested pod ports");

    public override string Name => "NodePorts";

    public override ClusterEvents Wakes => ClusterEvents.NodeAdded | ClusterEvents.AssignedPodDeleted;

    public Refusal? Filter(Cycle cycle, NodeInfo node) => cycle.Pod.HostPorts.Count > 0 && node.Conflicts(cycle.Pod.HostPorts) ? _taken : null;
}
