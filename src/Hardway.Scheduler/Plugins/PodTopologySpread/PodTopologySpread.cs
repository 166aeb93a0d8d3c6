using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.PodTopologySpread;

/// <summary>
/// Spreads Pods over the values of a node label. DoNotSchedule constraints filter: the domain's count after placing may exceed the smallest
/// count by maxSkew at most. ScheduleAnyway ones, or the system's defaults where a Pod gives none, score.
/// </summary>
internal sealed class PodTopologySpreadPlugin(bool systemDefaults) : Plugin, IFilter, IScore
{
    private readonly Refusal _noLabel = new(RefusalKind.UnschedulableAndUnresolvable, "PodTopologySpread", "node(s) didn't match pod topology spread constraints (missing required label)");
    private readonly Refusal _skew = new(RefusalKind.Unschedulable, "PodTopologySpread", "node(s) didn't match pod topology spread constraints");

    public override string Name => "PodTopologySpread";

    public override ClusterEvents Wakes =>
        ClusterEvents.Node | ClusterEvents.AssignedPodAdded | ClusterEvents.AssignedPodChanged | ClusterEvents.AssignedPodDeleted | ClusterEvents.PodItself;

    public Refusal? PreFilter(Cycle cycle)
    {
        var hard = SpreadConstraint.Of(cycle.Pod.Pod, "DoNotSchedule");
        if (hard.Count > 0)
        {
            cycle.Set(this, new HardState(hard, [.. hard.Select(c => Domains(cycle, c, hard))]));
        }

        return null;
    }

    public Refusal? Filter(Cycle cycle, NodeInfo node)
    {
        if (cycle.Get<HardState>(this) is not { } state)
        {
            return null;
        }

        for (var i = 0; i < state.Constraints.Count; i++)
        {
            var constraint = state.Constraints[i];
            if (node.Labels?.TryGetValue(constraint.TopologyKey, out var domain) != true)
            {
                return _noLabel;
            }

            var domains = state.Domains[i];
            var self = constraint.Selector.Matches(cycle.Pod.Labels) ? 1 : 0;
            var least = domains.Counts.Count < constraint.MinDomains ? 0 : domains.Least;
            if (domains.Counts.GetValueOrDefault(domain!) + self - least > constraint.MaxSkew)
            {
                return _skew;
            }
        }

        return null;
    }

    public bool PreScore(Cycle cycle, IReadOnlyList<NodeInfo> nodes)
    {
        var pod = cycle.Pod.Pod;
        var asked = pod.Spec.TopologySpreadConstraints is { Count: > 0 };
        var soft = asked ? SpreadConstraint.Of(pod, "ScheduleAnyway")
            : systemDefaults ? SpreadConstraint.SystemDefaults(cycle.Listers.DefaultSelector(pod)) : [];
        if (soft.Count == 0)
        {
            return false;
        }

        var weighed = new List<SoftConstraint>();
        var ignored = new HashSet<string>(StringComparer.Ordinal);
        foreach (var constraint in soft)
        {
            var domains = new Dictionary<string, int>(StringComparer.Ordinal);
            foreach (var node in nodes)
            {
                if (node.Labels?.TryGetValue(constraint.TopologyKey, out var domain) == true)
                {
                    domains[domain!] = 0;
                }
                else if (asked)
                {
                    ignored.Add(node.Name); // a constraint that was asked for: a node outside of all domains scores nothing
                }
            }

            foreach (var node in cycle.Nodes)
            {
                if (node.Labels?.TryGetValue(constraint.TopologyKey, out var domain) == true && domains.ContainsKey(domain!) && constraint.Includes(pod, node))
                {
                    domains[domain!] += constraint.Count(cycle.Pod, node);
                }
            }

            // Few large domains and many small ones must weigh alike.
            weighed.Add(new(constraint, domains, Math.Log(domains.Count + 2)));
        }

        cycle.Clear(this);
        cycle.Set(this, new SoftState(weighed, ignored));
        return true;
    }

    public long Score(Cycle cycle, NodeInfo node)
    {
        var state = cycle.Get<SoftState>(this)!;
        if (state.Ignored.Contains(node.Name))
        {
            return 0;
        }

        double sum = 0;
        foreach (var (constraint, domains, weight) in state.Constraints)
        {
            if (node.Labels?.TryGetValue(constraint.TopologyKey, out var domain) == true)
            {
                sum += (domains.GetValueOrDefault(domain!) * weight) + (constraint.MaxSkew - 1);
            }
        }

        return (long)Math.Round(sum);
    }

    public void Normalize(Cycle cycle, IReadOnlyList<NodeInfo> nodes, Span<long> scores)
    {
        var ignored = cycle.Get<SoftState>(this)!.Ignored;
        long min = long.MaxValue, max = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            if (!ignored.Contains(nodes[i].Name))
            {
                min = Math.Min(min, scores[i]);
                max = Math.Max(max, scores[i]);
            }
        }

        for (var i = 0; i < scores.Length; i++)
        {
            scores[i] = ignored.Contains(nodes[i].Name) ? 0 : max == 0 ? Scores.Max : Scores.Max * (max + min - scores[i]) / max;
        }
    }

    private static DomainCounts Domains(Cycle cycle, SpreadConstraint constraint, List<SpreadConstraint> all)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var node in cycle.Nodes)
        {
            // A node without one of the labels could not take the Pod, so it is no domain of any constraint.
            if (all.TrueForAll(c => node.Labels?.ContainsKey(c.TopologyKey) == true) && constraint.Includes(cycle.Pod.Pod, node))
            {
                var domain = node.Labels![constraint.TopologyKey];
                counts[domain] = counts.GetValueOrDefault(domain) + constraint.Count(cycle.Pod, node);
            }
        }

        return new(counts, counts.Count == 0 ? 0 : counts.Values.Min());
    }

    private sealed record DomainCounts(Dictionary<string, int> Counts, int Least);

    private sealed record HardState(List<SpreadConstraint> Constraints, List<DomainCounts> Domains);

    private sealed record SoftConstraint(SpreadConstraint Constraint, Dictionary<string, int> Domains, double Weight);

    private sealed record SoftState(List<SoftConstraint> Constraints, HashSet<string> Ignored);
}
