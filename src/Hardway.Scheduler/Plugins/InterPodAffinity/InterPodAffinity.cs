using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.InterPodAffinity;

/// <summary>
/// Pods that want to be, or not to be, in one topology domain with others. Required terms filter (those of Pods that run already too:
/// their anti-affinity keeps the newcomer away); preferred terms score, in both directions.
/// </summary>
internal sealed class InterPodAffinityPlugin(int hardAffinityWeight) : Plugin, IFilter, IScore
{
    private readonly Refusal _affinity = new(RefusalKind.UnschedulableAndUnresolvable, "InterPodAffinity", "node(s) didn't match pod affinity rules");
    private readonly Refusal _antiAffinity = new(RefusalKind.Unschedulable, "InterPodAffinity", "node(s) didn't match pod anti-affinity rules");
    private readonly Refusal _existing = new(RefusalKind.Unschedulable, "InterPodAffinity", "node(s) didn't satisfy existing pods anti-affinity rules");

    public override string Name => "InterPodAffinity";

    public override ClusterEvents Wakes =>
        ClusterEvents.NodeAdded | ClusterEvents.NodeLabels | ClusterEvents.AssignedPodAdded | ClusterEvents.AssignedPodChanged | ClusterEvents.AssignedPodDeleted | ClusterEvents.PodItself;

    public Refusal? PreFilter(Cycle cycle)
    {
        var pod = cycle.Pod;
        var state = new FilterState();
        foreach (var node in cycle.Nodes)
        {
            if (node.AntiAffinityPods > 0)
            {
                CountExisting(cycle, node, state);
            }

            if (pod.Affinity.Count + pod.AntiAffinity.Count > 0)
            {
                CountIncoming(cycle, node, state);
            }
        }

        if (state.Existing.Count > 0 || pod.Affinity.Count + pod.AntiAffinity.Count > 0)
        {
            cycle.Set(this, state);
        }

        return null;
    }

    public Refusal? Filter(Cycle cycle, NodeInfo node)
    {
        if (cycle.Get<FilterState>(this) is not { } state)
        {
            return null;
        }

        if (!SatisfiesAffinity(cycle, node, state))
        {
            return _affinity;
        }

        if (cycle.Pod.AntiAffinity.Any(t => Domain(node, t) is { } domain && state.AntiAffinity.Contains(domain)))
        {
            return _antiAffinity;
        }

        return node.Labels is not null && state.Existing.Any(d => node.Labels.TryGetValue(d.Key, out var value) && value == d.Value) ? _existing : null;
    }

    public bool PreScore(Cycle cycle, IReadOnlyList<NodeInfo> nodes)
    {
        var pod = cycle.Pod;
        var prefers = pod.PreferredAffinity.Count + pod.PreferredAntiAffinity.Count > 0;
        var weights = new Dictionary<(string, string), long>();
        foreach (var node in cycle.Nodes)
        {
            if (!prefers && node.AffinityPods == 0)
            {
                continue;
            }

            foreach (var other in node.Pods)
            {
                if (prefers || other.HasAffinity)
                {
                    Weigh(cycle, node, other, weights);
                }
            }
        }

        cycle.Clear(this);
        cycle.Set(this, weights);
        return weights.Count > 0;
    }

    public long Score(Cycle cycle, NodeInfo node)
    {
        long sum = 0;
        foreach (var ((key, value), weight) in cycle.Get<Dictionary<(string, string), long>>(this)!)
        {
            sum += node.Labels?.TryGetValue(key, out var label) == true && label == value ? weight : 0;
        }

        return sum;
    }

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

    private static (string Key, string Value)? Domain(NodeInfo node, AffinityTerm term) =>
        node.Labels?.TryGetValue(term.TopologyKey, out var value) == true ? (term.TopologyKey, value!) : null;

    private static void CountExisting(Cycle cycle, NodeInfo node, FilterState state)
    {
        foreach (var other in node.Pods)
        {
            foreach (var term in other.AntiAffinity)
            {
                if (Domain(node, term) is { } domain && term.Matches(cycle.Pod, cycle.Listers))
                {
                    state.Existing.Add(domain);
                }
            }
        }
    }

    private static void CountIncoming(Cycle cycle, NodeInfo node, FilterState state)
    {
        var pod = cycle.Pod;
        foreach (var other in node.Pods)
        {
            // All affinity terms must match the same Pod; each anti-affinity term stands alone.
            if (pod.Affinity.Count > 0 && pod.Affinity.All(t => t.Matches(other, cycle.Listers)))
            {
                state.AffinityMatched = true;
                foreach (var term in pod.Affinity)
                {
                    if (Domain(node, term) is { } domain)
                    {
                        state.Affinity.Add(domain);
                    }
                }
            }

            foreach (var term in pod.AntiAffinity)
            {
                if (Domain(node, term) is { } domain && term.Matches(other, cycle.Listers))
                {
                    state.AntiAffinity.Add(domain);
                }
            }
        }
    }

    private static bool SatisfiesAffinity(Cycle cycle, NodeInfo node, FilterState state)
    {
        var all = true;
        foreach (var term in cycle.Pod.Affinity)
        {
            if (Domain(node, term) is not { } domain)
            {
                return false;
            }

            all &= state.Affinity.Contains(domain);
        }

        // The first of a group that has affinity to itself may start anywhere.
        return all || (!state.AffinityMatched && cycle.Pod.Affinity.All(t => t.Matches(cycle.Pod, cycle.Listers)));
    }

    private void Weigh(Cycle cycle, NodeInfo node, PodInfo other, Dictionary<(string, string), long> weights)
    {
        var pod = cycle.Pod;
        Add(pod.PreferredAffinity, other, 1, t => t.Weight);
        Add(pod.PreferredAntiAffinity, other, -1, t => t.Weight);
        Add(other.Affinity, pod, 1, _ => hardAffinityWeight);
        Add(other.PreferredAffinity, pod, 1, t => t.Weight);
        Add(other.PreferredAntiAffinity, pod, -1, t => t.Weight);

        void Add(IReadOnlyList<AffinityTerm> terms, PodInfo target, int sign, Func<AffinityTerm, int> weight)
        {
            foreach (var term in terms)
            {
                if (weight(term) > 0 && Domain(node, term) is { } domain && term.Matches(target, cycle.Listers))
                {
                    weights[domain] = weights.GetValueOrDefault(domain) + (sign * weight(term));
                }
            }
        }
    }

    private sealed class FilterState
    {
        public HashSet<(string Key, string Value)> Existing { get; } = [];
        public HashSet<(string Key, string Value)> Affinity { get; } = [];
        public HashSet<(string Key, string Value)> AntiAffinity { get; } = [];
        public bool AffinityMatched { get; set; }
    }
}
