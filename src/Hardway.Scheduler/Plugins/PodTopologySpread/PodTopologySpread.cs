using Hardway.Api.Core.V1;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.PodTopologySpread;

/// <summary>
/// Spreads Pods over the values of a node label. DoNotSchedule constraints filter: the domain's count after placing may exceed the smallest
/// count by maxSkew at most. ScheduleAnyway ones score. A Pod without constraints gets the profile's, or the system's.
/// </summary>
/// <param name="defaults">The profile's constraints for Pods without; null: the system's.</param>
internal sealed class PodTopologySpreadPlugin(IReadOnlyList<TopologySpreadConstraint>? defaults) : Plugin, IPreFilter, IFilter, IPreScore, IScore
{
    private const string HostName = "kubernetes.io/hostname";
    private readonly Refusal _noLabel = new(RefusalKind.UnschedulableAndUnresolvable, "PodTopologySpread", "node(s) didn't match pod topology spread constraints (missing required label)");
    private readonly Refusal _skew = new(RefusalKind.Unschedulable, "PodTopologySpread", "node(s) didn't match pod topology spread constraints");

    public override string Name => "PodTopologySpread";

    public override ClusterEvents Wakes =>
        ClusterEvents.Node | ClusterEvents.NodeDeleted | ClusterEvents.AssignedPodAdded | ClusterEvents.AssignedPodChanged | ClusterEvents.AssignedPodDeleted | ClusterEvents.PodItself;

    /// <summary>Only Pods that a constraint counts, and nodes that are in every domain.</summary>
    public override bool Helps(PodInfo pod, in ClusterEvent happened)
    {
        var constraints = pod.Pod.Spec.TopologySpreadConstraints ?? [];
        if (constraints.Count == 0)
        {
            return true;
        }

        return happened switch
        {
            { Pod: { } other, Kind: ClusterEvents.AssignedPodAdded or ClusterEvents.AssignedPodDeleted } =>
                other.Namespace == pod.Namespace && SpreadConstraint.Of(pod.Pod, "DoNotSchedule").Exists(c => c.Selector.Matches(other.Labels)),
            { Node.Metadata.Labels: var labels, Node: not null } => constraints.TrueForAll(c => labels?.ContainsKey(c.TopologyKey) == true),
            _ => true,
        };
    }

    public PreFilterAnswer PreFilter(Cycle cycle)
    {
        var hard = Constraints(cycle, "DoNotSchedule");
        if (hard.Count == 0)
        {
            return PreFilterAnswer.Skip;
        }

        cycle.Keep(this, hard.ConvertAll(c => Domains(cycle, c, hard)).ToArray());
        return PreFilterAnswer.Go;
    }

    public Refusal? Filter(Cycle cycle, NodeInfo node)
    {
        foreach (var (constraint, self, counts, least) in cycle.Kept<HardConstraint[]>(this) ?? [])
        {
            if (node.Labels?.TryGetValue(constraint.TopologyKey, out var domain) != true)
            {
                return _noLabel;
            }

            if (counts.GetValueOrDefault(domain!) + self - least > constraint.MaxSkew)
            {
                return _skew;
            }
        }

        return null;
    }

    public bool PreScore(Cycle cycle, IReadOnlyList<NodeInfo> nodes)
    {
        var soft = Constraints(cycle, "ScheduleAnyway");
        if (soft.Count == 0)
        {
            return false;
        }

        // Of a constraint that was asked for, a node outside of its domains scores nothing.
        var asked = cycle.Pod.Pod.Spec.TopologySpreadConstraints is { Count: > 0 };
        var state = new SoftState();
        if (asked)
        {
            foreach (var node in nodes)
            {
                if (!soft.TrueForAll(c => node.Labels?.ContainsKey(c.TopologyKey) == true))
                {
                    state.Ignored.Add(node);
                }
            }
        }

        foreach (var constraint in soft)
        {
            state.Constraints.Add(Weigh(cycle, constraint, nodes, state.Ignored, asked ? soft : []));
        }

        cycle.KeepForScore(this, state);
        return true;
    }

    public long Score(Cycle cycle, NodeInfo node)
    {
        var state = cycle.KeptForScore<SoftState>(this);
        if (state.Ignored.Contains(node))
        {
            return 0;
        }

        double sum = 0;
        foreach (var (constraint, matching, domains, weight) in state.Constraints)
        {
            if (node.Labels?.TryGetValue(constraint.TopologyKey, out var domain) == true)
            {
                var count = domains is null ? matching.On(node) : domains.GetValueOrDefault(domain!);
                sum += (count * weight) + (constraint.MaxSkew - 1);
            }
        }

        return (long)Math.Round(sum, MidpointRounding.AwayFromZero);
    }

    public void Normalize(Cycle cycle, IReadOnlyList<NodeInfo> nodes, Span<long> scores)
    {
        var ignored = cycle.KeptForScore<SoftState>(this).Ignored;
        long min = long.MaxValue, max = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            if (ignored.Count == 0 || !ignored.Contains(nodes[i]))
            {
                min = Math.Min(min, scores[i]);
                max = Math.Max(max, scores[i]);
            }
        }

        for (var i = 0; i < scores.Length; i++)
        {
            scores[i] = ignored.Count > 0 && ignored.Contains(nodes[i]) ? 0 : max == 0 ? Scores.Max : Scores.Max * (max + min - scores[i]) / max;
        }
    }

    private List<SpreadConstraint> Constraints(Cycle cycle, string whenUnsatisfiable)
    {
        var pod = cycle.Pod.Pod;
        if (pod.Spec.TopologySpreadConstraints is { Count: > 0 })
        {
            return SpreadConstraint.Of(pod, whenUnsatisfiable);
        }

        if (defaults is { Count: 0 } || (defaults is null && whenUnsatisfiable == "DoNotSchedule"))
        {
            return [];
        }

        var selector = cycle.Listers.DefaultSelector(pod);
        return defaults is null ? SpreadConstraint.SystemDefaults(selector) : SpreadConstraint.Defaults(defaults, whenUnsatisfiable, selector);
    }

    private static HardConstraint Domains(Cycle cycle, SpreadConstraint constraint, List<SpreadConstraint> all)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        var matching = Matching(cycle, constraint);
        foreach (var node in cycle.Nodes)
        {
            // A node without one of the labels could not take the Pod, so it is no domain of any constraint.
            if (InAllDomains(node, all) && constraint.Includes(cycle.Pod.Pod, node))
            {
                var domain = node.Labels![constraint.TopologyKey];
                counts[domain] = counts.GetValueOrDefault(domain) + matching.On(node);
            }
        }

        var least = counts.Count == 0 || counts.Count < constraint.MinDomains ? 0 : counts.Values.Min();
        return new(constraint, constraint.Selector.Matches(cycle.Pod.Labels) ? 1 : 0, counts, least);
    }

    private static SoftConstraint Weigh(Cycle cycle, SpreadConstraint constraint, IReadOnlyList<NodeInfo> nodes, HashSet<NodeInfo> ignored, List<SpreadConstraint> required)
    {
        var matching = Matching(cycle, constraint);
        if (constraint.TopologyKey == HostName)
        {
            // Each node is its own domain: its count is asked when it is scored.
            return new(constraint, matching, null, Math.Log(nodes.Count - ignored.Count + 2));
        }

        var domains = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var node in nodes)
        {
            if (node.Labels?.TryGetValue(constraint.TopologyKey, out var domain) == true && !ignored.Contains(node))
            {
                domains[domain!] = 0;
            }
        }

        foreach (var node in cycle.Nodes)
        {
            if (node.Labels?.TryGetValue(constraint.TopologyKey, out var domain) == true && domains.TryGetValue(domain!, out var count)
                && InAllDomains(node, required) && constraint.Includes(cycle.Pod.Pod, node))
            {
                domains[domain!] = count + matching.On(node);
            }
        }

        // Few large domains and many small ones must weigh alike.
        return new(constraint, matching, domains, Math.Log(domains.Count + 2));
    }

    private static bool InAllDomains(NodeInfo node, List<SpreadConstraint> all)
    {
        foreach (var constraint in all)
        {
            if (node.Labels?.ContainsKey(constraint.TopologyKey) != true)
            {
                return false;
            }
        }

        return true;
    }

    private static PodCount Matching(Cycle cycle, SpreadConstraint constraint)
    {
        var (space, selector) = (cycle.Pod.Namespace, constraint.Selector);
        return cycle.State.Counts.Of($"s|{space}|{(selector.MatchesNothing ? "<nothing>" : selector)}", p => !p.IsTerminating && p.Namespace == space && selector.Matches(p.Labels));
    }

    private sealed record HardConstraint(SpreadConstraint Constraint, int Self, Dictionary<string, int> Counts, int Least);

    /// <summary>Domains is null for the host name.</summary>
    private sealed record SoftConstraint(SpreadConstraint Constraint, PodCount Matching, Dictionary<string, int>? Domains, double Weight);

    private sealed class SoftState
    {
        public List<SoftConstraint> Constraints { get; } = [];
        public HashSet<NodeInfo> Ignored { get; } = [];
    }
}
