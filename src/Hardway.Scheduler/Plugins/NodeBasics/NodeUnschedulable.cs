using Hardway.Api.Core.V1;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Plugins.TaintToleration;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.NodeBasics;

/// <summary>A cordoned node takes only Pods that tolerate its taint.</summary>
internal sealed class NodeUnschedulable : Plugin, IFilter
{
    private static readonly Taint s_taint = new() { Key = "node.kubernetes.io/unschedulable", Effect = "NoSchedule" };
    private readonly Refusal _cordoned = new(RefusalKind.UnschedulableAndUnresolvable, nameof(NodeUnschedulable), "node(s) were unschedulable");

    public override string Name => nameof(NodeUnschedulable);

    public override ClusterEvents Wakes => ClusterEvents.NodeAdded | ClusterEvents.NodeTaints | ClusterEvents.PodItself;

    public override bool Helps(PodInfo pod, in ClusterEvent happened) =>
        happened.Node is not { Spec.Unschedulable: true } || Tolerations.Tolerate(pod.Pod.Spec.Tolerations, s_taint);

    public Refusal? Filter(Cycle cycle, NodeInfo node) =>
        node.Node!.Spec.Unschedulable && !Tolerations.Tolerate(cycle.Pod.Pod.Spec.Tolerations, s_taint) ? _cordoned : null;
}
