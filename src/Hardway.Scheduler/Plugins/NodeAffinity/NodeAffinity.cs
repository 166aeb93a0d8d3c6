using Hardway.Api.Core.V1;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;
using ApiNodeAffinity = Hardway.Api.Core.V1.NodeAffinity;

namespace Hardway.Scheduler.Plugins.NodeAffinity;

/// <summary>The Pod's node selector and node affinity, and the affinity that the profile adds to every Pod.</summary>
internal sealed class NodeAffinityPlugin(ApiNodeAffinity? added) : Plugin, IPreFilter, IFilter, IPreScore, IScore
{
    private readonly Refusal _other = new(RefusalKind.UnschedulableAndUnresolvable, "NodeAffinity", "node(s) didn't match Pod's node affinity/selector");
    private readonly Refusal _added = new(RefusalKind.UnschedulableAndUnresolvable, "NodeAffinity", "node(s) didn't match scheduler-enforced node affinity");
    private readonly Refusal _conflict = new(RefusalKind.UnschedulableAndUnresolvable, "NodeAffinity", "pod affinity terms conflict");

    public override string Name => "NodeAffinity";

    public override ClusterEvents Wakes => ClusterEvents.NodeAdded | ClusterEvents.NodeLabels | ClusterEvents.PodItself;

    public override bool Helps(PodInfo pod, in ClusterEvent happened) => NodeHelps(happened, node => Refused(pod, node) is null);

    public PreFilterAnswer PreFilter(Cycle cycle)
    {
        var spec = cycle.Pod.Pod.Spec;
        var required = spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution;
        if (required is null && spec.NodeSelector is not { Count: > 0 } && added?.RequiredDuringSchedulingIgnoredDuringExecution is null)
        {
            return PreFilterAnswer.Skip;
        }

        // A Pod of a daemon set names its node: nothing else need be looked at.
        return required is null || NodeSelectors.Names(required) is not { } names ? PreFilterAnswer.Go
            : names.Count == 0 ? _conflict : PreFilterAnswer.Only(names);
    }

    public Refusal? Filter(Cycle cycle, NodeInfo node) => Refused(cycle.Pod, node);

    public bool PreScore(Cycle cycle, IReadOnlyList<NodeInfo> nodes) => Preferred(cycle.Pod) is { Count: > 0 } || AddedPreferred is { Count: > 0 };

    public long Score(Cycle cycle, NodeInfo node) => Sum(AddedPreferred, node) + Sum(Preferred(cycle.Pod), node);

    public void Normalize(Cycle cycle, IReadOnlyList<NodeInfo> nodes, Span<long> scores) => Scores.Normalize(scores, reverse: false);

    private List<PreferredSchedulingTerm>? AddedPreferred => added?.PreferredDuringSchedulingIgnoredDuringExecution;

    private static List<PreferredSchedulingTerm>? Preferred(PodInfo pod) => pod.Pod.Spec.Affinity?.NodeAffinity?.PreferredDuringSchedulingIgnoredDuringExecution;

    private static long Sum(List<PreferredSchedulingTerm>? terms, NodeInfo node)
    {
        long sum = 0;
        foreach (var preferred in terms ?? [])
        {
            sum += NodeSelectors.Matches(preferred.Preference, node) ? preferred.Weight : 0;
        }

        return sum;
    }

    private Refusal? Refused(PodInfo pod, NodeInfo node) =>
        added?.RequiredDuringSchedulingIgnoredDuringExecution is { } enforced && !NodeSelectors.Matches(enforced, node) ? _added
        : NodeSelectors.MatchesRequired(pod.Pod, node) ? null : _other;
}
