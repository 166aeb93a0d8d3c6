using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.NodePorts;

/// <summary>Host ports must be free.</summary>
internal sealed class NodePortsPlugin : Plugin, IPreFilter, IFilter
{
    private readonly Refusal _taken = new(RefusalKind.Unschedulable, "NodePorts", "node(s) didn't have free ports for the requested pod ports");

    public override string Name => "NodePorts";

    public override ClusterEvents Wakes => ClusterEvents.NodeAdded | ClusterEvents.AssignedPodDeleted;

    public override bool Helps(PodInfo pod, in ClusterEvent happened) =>
        happened.Pod is not { } gone || Array.Exists(gone.HostPorts, g => Array.Exists(pod.HostPorts, w => w.Collides(g)));

    public PreFilterAnswer PreFilter(Cycle cycle) => cycle.Pod.HostPorts.Length == 0 ? PreFilterAnswer.Skip : PreFilterAnswer.Go;

    public Refusal? Filter(Cycle cycle, NodeInfo node) => node.Conflicts(cycle.Pod.HostPorts) ? _taken : null;
}
