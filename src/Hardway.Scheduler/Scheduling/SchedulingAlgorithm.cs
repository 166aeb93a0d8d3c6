using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Scheduling;

/// <summary>What a cycle found: a node, or why there is none.</summary>
internal sealed record Decision(string? Node, Cycle Cycle)
{
    public Refusal? PreFilter { get; init; }
    public IReadOnlyDictionary<string, Refusal> Refusals { get; init; } = new Dictionary<string, Refusal>();
}

/// <summary>
/// Finds the best node for one Pod: filters, then weighed scores, a tie broken by chance. In large clusters it stops filtering when it has
/// enough feasible nodes and goes on from there the next time, so that all nodes get their turn. Called under the state's lock.
/// </summary>
internal sealed class SchedulingAlgorithm(IClusterListers listers, NominatedPods nominated, int percentageOfNodesToScore, Random random)
{
    private const int MinFeasibleNodes = 100;
    private int _start;

    public Decision Schedule(Profile profile, PodInfo pod, ClusterState state)
    {
        var cycle = new Cycle(pod, state.Nodes, listers);
        if (cycle.Nodes.Count == 0)
        {
            return new Decision(null, cycle);
        }

        if (profile.RunPreFilters(cycle) is { } refused)
        {
            return new Decision(null, cycle) { PreFilter = refused, Refusals = cycle.Nodes.ToDictionary(n => n.Name, _ => refused, StringComparer.Ordinal) };
        }

        var refusals = new Dictionary<string, Refusal>(StringComparer.Ordinal);
        var feasible = Feasible(profile, cycle, refusals);
        return feasible.Count switch
        {
            0 => new Decision(null, cycle) { Refusals = refusals },
            1 => new Decision(feasible[0].Name, cycle),
            _ => new Decision(Best(profile, cycle, feasible).Name, cycle),
        };
    }

    private List<NodeInfo> Feasible(Profile profile, Cycle cycle, Dictionary<string, Refusal> refusals)
    {
        var feasible = new List<NodeInfo>();
        var nodes = cycle.Nodes;
        var enough = Enough(nodes.Count);
        var looked = 0;
        for (; looked < nodes.Count && feasible.Count < enough; looked++)
        {
            var node = nodes[(_start + looked) % nodes.Count];
            if (Filter(profile, cycle, node) is { } refusal)
            {
                refusals[node.Name] = refusal;
            }
            else
            {
                feasible.Add(node);
            }
        }

        _start = (_start + looked) % nodes.Count;
        return feasible;
    }

    /// <summary>A node must also fit once the more important Pods that preempted room there have come.</summary>
    private Refusal? Filter(Profile profile, Cycle cycle, NodeInfo node)
    {
        var coming = nominated.On(node.Name, cycle.Pod);
        if (coming.Count > 0)
        {
            var later = node.Copy();
            coming.ForEach(later.Add);
            var trial = cycle.With(later);
            if ((profile.RunPreFilters(trial) ?? profile.RunFilters(trial, later)) is { } refused)
            {
                return refused;
            }
        }

        return profile.RunFilters(cycle, node);
    }

    private int Enough(int nodes)
    {
        if (nodes < MinFeasibleNodes || percentageOfNodesToScore >= 100)
        {
            return nodes;
        }

        var percentage = percentageOfNodesToScore > 0 ? percentageOfNodesToScore : Math.Max(5, 50 - (nodes / 125));
        return Math.Max(MinFeasibleNodes, nodes * percentage / 100);
    }

    private NodeInfo Best(Profile profile, Cycle cycle, List<NodeInfo> feasible)
    {
        var totals = new long[feasible.Count];
        var scores = new long[feasible.Count];
        foreach (var (plugin, weight) in profile.Scores)
        {
            var scorer = (IScore)plugin;
            if (!scorer.PreScore(cycle, feasible))
            {
                continue;
            }

            for (var i = 0; i < scores.Length; i++)
            {
                scores[i] = scorer.Score(cycle, feasible[i]);
            }

            scorer.Normalize(cycle, feasible, scores);
            for (var i = 0; i < scores.Length; i++)
            {
                totals[i] += scores[i] * weight;
            }
        }

        var (best, ties) = (0, 1);
        for (var i = 1; i < totals.Length; i++)
        {
            if (totals[i] > totals[best])
            {
                (best, ties) = (i, 1);
            }
            else if (totals[i] == totals[best] && random.Next(++ties) == 0)
            {
                best = i;
            }
        }

        return feasible[best];
    }
}
