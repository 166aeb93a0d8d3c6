using Hardway.Api.Core.V1;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.TaintToleration;

/// <summary>NoSchedule and NoExecute taints keep Pods away that do not tolerate them; PreferNoSchedule ones cost score.</summary>
internal sealed class TaintTolerationPlugin : Plugin, IFilter, IScore
{
    private readonly Refusal _untolerated = new(RefusalKind.UnschedulableAndUnresolvable, "TaintToleration", "node(s) had untolerated taint(s)");

    public override string Name => "TaintToleration";

    public override ClusterEvents Wakes => ClusterEvents.NodeAdded | ClusterEvents.NodeTaints | ClusterEvents.PodItself;

    public Refusal? Filter(Cycle cycle, NodeInfo node)
    {
        foreach (var taint in node.Node!.Spec.Taints ?? [])
        {
            if (taint.Effect is "NoSchedule" or "NoExecute" && !Tolerations.Tolerate(cycle.Pod.Pod.Spec.Tolerations, taint))
            {
                return _untolerated;
            }
        }

        return null;
    }

    public bool PreScore(Cycle cycle, IReadOnlyList<NodeInfo> nodes) => nodes.Any(n => (n.Node!.Spec.Taints ?? []).Exists(Prefers));

    public long Score(Cycle cycle, NodeInfo node) =>
        (node.Node!.Spec.Taints ?? []).Count(t => Prefers(t) && !Tolerations.Tolerate(cycle.Pod.Pod.Spec.Tolerations, t));

    public void Normalize(Cycle cycle, IReadOnlyList<NodeInfo> nodes, Span<long> scores) => Scores.Normalize(scores, reverse: true);

    private static bool Prefers(Taint taint) => taint.Effect == "PreferNoSchedule";
}
