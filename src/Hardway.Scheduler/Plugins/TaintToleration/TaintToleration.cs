using Hardway.Api.Core.V1;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.TaintToleration;

/// <summary>NoSchedule and NoExecute taints keep Pods away that do not tolerate them; PreferNoSchedule ones cost score.</summary>
internal sealed class TaintTolerationPlugin : Plugin, IFilter, IPreScore, IScore
{
    private readonly Refusal _untolerated = new(RefusalKind.UnschedulableAndUnresolvable, "TaintToleration", "node(s) had untolerated taint(s)");

    public override string Name => "TaintToleration";

    public override ClusterEvents Wakes => ClusterEvents.NodeAdded | ClusterEvents.NodeTaints | ClusterEvents.PodItself;

    public override bool Helps(PodInfo pod, in ClusterEvent happened) => NodeHelps(happened, node => Tolerated(pod, node));

    public Refusal? Filter(Cycle cycle, NodeInfo node) => Tolerated(cycle.Pod, node) ? null : _untolerated;

    public bool PreScore(Cycle cycle, IReadOnlyList<NodeInfo> nodes)
    {
        foreach (var node in nodes)
        {
            if (node.SoftTaints.Length > 0)
            {
                return true;
            }
        }

        return false;
    }

    public long Score(Cycle cycle, NodeInfo node)
    {
        var untolerated = 0;
        foreach (var taint in node.SoftTaints)
        {
            untolerated += Tolerations.Tolerate(cycle.Pod.Pod.Spec.Tolerations, taint) ? 0 : 1;
        }

        return untolerated;
    }

    public void Normalize(Cycle cycle, IReadOnlyList<NodeInfo> nodes, Span<long> scores) => Scores.Normalize(scores, reverse: true);

    private static bool Tolerated(PodInfo pod, NodeInfo node) => Tolerations.TolerateAll(pod.Pod.Spec.Tolerations, node.HardTaints);
}
