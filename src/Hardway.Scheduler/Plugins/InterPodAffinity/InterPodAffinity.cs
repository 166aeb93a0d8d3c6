using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.InterPodAffinity;

/// <summary>
/// Pods that want to be, or not to be, in one topology domain with others. Required terms filter (those of Pods that run already too:
/// their anti-affinity keeps the newcomer away); preferred terms score, in both directions.
/// </summary>
internal sealed class InterPodAffinityPlugin(int hardAffinityWeight, bool ignorePreferredOfOthers) : Plugin, IPreFilter, IFilter, IPreScore, IScore
{
    private readonly Refusal _affinity = new(RefusalKind.UnschedulableAndUnresolvable, "InterPodAffinity", "node(s) didn't match pod affinity rules");
    private readonly Refusal _antiAffinity = new(RefusalKind.Unschedulable, "InterPodAffinity", "node(s) didn't match pod anti-affinity rules");
    private readonly Refusal _existing = new(RefusalKind.Unschedulable, "InterPodAffinity", "node(s) didn't satisfy existing pods anti-affinity rules");

    public override string Name => "InterPodAffinity";

    public override ClusterEvents Wakes =>
        ClusterEvents.NodeAdded | ClusterEvents.NodeLabels | ClusterEvents.AssignedPodAdded | ClusterEvents.AssignedPodChanged | ClusterEvents.AssignedPodDeleted | ClusterEvents.PodItself;

    /// <summary>One that came helps by affinity, one that went by its own or our anti-affinity.</summary>
    public override bool Helps(PodInfo pod, in ClusterEvent happened) => happened switch
    {
        { Node.Metadata.Labels: var labels, Node: not null } =>
            pod.Terms(TermKind.Affinity).Length == 0 || Array.Exists(pod.Terms(TermKind.Affinity), t => labels?.ContainsKey(t.TopologyKey) == true),
        { Kind: ClusterEvents.AssignedPodAdded, Pod: { } came } => Array.Exists(pod.Terms(TermKind.Affinity), t => MayMean(t, came)),
        { Kind: ClusterEvents.AssignedPodDeleted, Pod: { } went } =>
            Array.Exists(pod.Terms(TermKind.AntiAffinity), t => MayMean(t, went)) || Array.Exists(went.Terms(TermKind.AntiAffinity), t => MayMean(t, pod)),
        _ => true,
    };

    public PreFilterAnswer PreFilter(Cycle cycle)
    {
        var state = new FilterState(Resolved(cycle, TermKind.Affinity), Resolved(cycle, TermKind.AntiAffinity));
        CountExisting(cycle, TermKind.AntiAffinity, _ => 1, state.Existing);
        if (state.Affinity.Length > 0)
        {
            CountAffinity(cycle, state);
        }

        foreach (var term in state.AntiAffinity)
        {
            Count(cycle, term, state.AntiAffinityDomains, 1);
        }

        if (state.Existing.IsEmpty && state.Affinity.Length == 0 && state.AntiAffinity.Length == 0)
        {
            return PreFilterAnswer.Skip;
        }

        cycle.Keep(this, state);
        return PreFilterAnswer.Go;
    }

    public Refusal? Filter(Cycle cycle, NodeInfo node)
    {
        if (cycle.Kept<FilterState>(this) is not { } state)
        {
            return null;
        }

        if (state.Affinity.Length > 0 && !SatisfiesAffinity(node, state))
        {
            return _affinity;
        }

        foreach (var term in state.AntiAffinity)
        {
            if (state.AntiAffinityDomains.Of(term.TopologyKey, node) > 0)
            {
                return _antiAffinity;
            }
        }

        return state.Existing.Of(node) > 0 ? _existing : null;
    }

    public bool PreScore(Cycle cycle, IReadOnlyList<NodeInfo> nodes)
    {
        var weights = new DomainSums();
        foreach (var term in Resolved(cycle, TermKind.PreferredAffinity))
        {
            Count(cycle, term, weights, term.Weight);
        }

        foreach (var term in Resolved(cycle, TermKind.PreferredAntiAffinity))
        {
            Count(cycle, term, weights, -term.Weight);
        }

        var prefers = cycle.Pod.Terms(TermKind.PreferredAffinity).Length + cycle.Pod.Terms(TermKind.PreferredAntiAffinity).Length > 0;
        if (prefers || !ignorePreferredOfOthers)
        {
            CountExisting(cycle, TermKind.Affinity, _ => hardAffinityWeight, weights);
            CountExisting(cycle, TermKind.PreferredAffinity, t => t.Weight, weights);
            CountExisting(cycle, TermKind.PreferredAntiAffinity, t => -t.Weight, weights);
        }

        cycle.KeepForScore(this, weights);
        return !weights.IsEmpty;
    }

    public long Score(Cycle cycle, NodeInfo node) => cycle.KeptForScore<DomainSums>(this).Of(node);

    public void Normalize(Cycle cycle, IReadOnlyList<NodeInfo> nodes, Span<long> scores)
    {
        long min = long.MaxValue, max = long.MinValue;
        foreach (var score in scores)
        {
            (min, max) = (Math.Min(min, score), Math.Max(max, score));
        }

        for (var i = 0; i < scores.Length; i++)
        {
            scores[i] = max > min ? Scores.Max * (scores[i] - min) / (max - min) : 0;
        }
    }

    private static AffinityTerm[] Resolved(Cycle cycle, TermKind kind)
    {
        var terms = cycle.Pod.Terms(kind);
        return terms.Length == 0 ? terms : Array.ConvertAll(terms, t => t.Resolve(cycle.Listers));
    }

    /// <summary>A namespace selector cannot be asked here: it may mean the Pod.</summary>
    private static bool MayMean(AffinityTerm term, PodInfo pod) =>
        (term.NamespaceSelector is not null || term.Namespaces.Contains(pod.Namespace)) && term.Selector.Matches(pod.Labels);

    /// <summary>Terms of bound Pods that mean the newcomer, in the domains where those Pods are.</summary>
    private static void CountExisting(Cycle cycle, TermKind kind, Func<AffinityTerm, long> weight, DomainSums sums)
    {
        foreach (var indexed in cycle.State.Terms.Of(kind))
        {
            if (weight(indexed.Term) == 0 || !indexed.Term.Matches(cycle.Pod, cycle.Listers))
            {
                continue;
            }

            foreach (var (node, count) in indexed.Nodes)
            {
                if (node != cycle.Replaced)
                {
                    sums.Add(indexed.Term.TopologyKey, node, count * weight(indexed.Term));
                }
            }
        }

        // The index knows the real node; the trial's is counted Pod by Pod.
        foreach (var other in cycle.Replacement?.Pods ?? [])
        {
            foreach (var term in other.Terms(kind))
            {
                if (term.Matches(cycle.Pod, cycle.Listers))
                {
                    sums.Add(term.TopologyKey, cycle.Replacement!, weight(term));
                }
            }
        }
    }

    /// <summary>Pods that the newcomer's term means, in their domains.</summary>
    private static void Count(Cycle cycle, AffinityTerm term, DomainSums sums, long weight)
    {
        var matching = cycle.State.Counts.Of("a|" + term.MeansKey, p => term.Namespaces.Contains(p.Namespace) && term.Selector.Matches(p.Labels));
        foreach (var node in cycle.Nodes)
        {
            if (matching.On(node) is > 0 and var count)
            {
                sums.Add(term.TopologyKey, node, count * weight);
            }
        }
    }

    /// <summary>All affinity terms must mean the same Pod; each anti-affinity term stands alone.</summary>
    private static void CountAffinity(Cycle cycle, FilterState state)
    {
        var terms = state.Affinity;
        var matching = cycle.State.Counts.Of(
            "a|" + string.Join('&', terms.Select(t => t.MeansKey)),
            p => Array.TrueForAll(terms, t => t.Namespaces.Contains(p.Namespace) && t.Selector.Matches(p.Labels)));
        foreach (var node in cycle.Nodes)
        {
            if (matching.On(node) is > 0 and var count)
            {
                foreach (var term in terms)
                {
                    state.AffinityDomains.Add(term.TopologyKey, node, count);
                }
            }
        }

        // The first of a group that has affinity to itself may start anywhere.
        state.StartsGroup = state.AffinityDomains.IsEmpty && Array.TrueForAll(terms, t => t.Matches(cycle.Pod, cycle.Listers));
    }

    private static bool SatisfiesAffinity(NodeInfo node, FilterState state)
    {
        foreach (var term in state.Affinity)
        {
            if (node.Labels?.ContainsKey(term.TopologyKey) != true || (!state.StartsGroup && state.AffinityDomains.Of(term.TopologyKey, node) == 0))
            {
                return false;
            }
        }

        return true;
    }

    private sealed record FilterState(AffinityTerm[] Affinity, AffinityTerm[] AntiAffinity)
    {
        public DomainSums Existing { get; } = new();
        public DomainSums AffinityDomains { get; } = new();
        public DomainSums AntiAffinityDomains { get; } = new();
        public bool StartsGroup { get; set; }
    }
}
