using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.NodeAffinity;

/// <summary>The Pod's node selector and node affinity.</summary>
internal sealed class NodeAffinityPlugin : Plugin, IFilter, IScore
{
    private readonly Refusal _other = new(RefusalKind.UnschedulableAndUnresolvable, "NodeAffinity", "node(s) didn't match Pod's node affinity/selector");

    public override string Name => "NodeAffinity";

    public override ClusterEvents Wakes => ClusterEvents.NodeAdded | ClusterEvents.NodeLabels | ClusterEvents.PodItself;

    public Refusal? Filter(Cycle cycle, NodeInfo node) => NodeSelectors.MatchesRequired(cycle.Pod.Pod, node) ? null : _other;

    public bool PreScore(Cycle cycle, IReadOnlyList<NodeInfo> nodes) =>
        cycle.Pod.Pod.Spec.Affinity?.NodeAffinity?.PreferredDuringSchedulingIgnoredDuringExecution is { Count: > 0 };

    public long Score(Cycle cycle, NodeInfo node)
    {
        long sum = 0;
        foreach (var preferred in cycle.Pod.Pod.Spec.Affinity!.NodeAffinity!.PreferredDuringSchedulingIgnoredDuringExecution!)
        {
            sum += NodeSelectors.Matches(preferred.Preference, node) ? preferred.Weight : 0;
        }

        return sum;
    }

    public void Normalize(Cycle cycle, IReadOnlyList<NodeInfo> nodes, Span<long> scores) => Scores.Normalize(scores, reverse: false);
}
