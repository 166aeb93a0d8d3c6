using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Scheduling;

/// <summary>What a cycle's filters left, or why they left nothing.</summary>
internal sealed record Feasibility(Cycle Cycle, List<NodeInfo> Nodes, NodeRefusals Refusals)
{
    public Refusal? PreFilter { get; init; }
}

/// <summary>
/// Finds the best node for one Pod: filters, then weighed scores, a tie broken by chance. In large clusters it stops filtering when it has
/// enough feasible nodes and goes on from there the next time, so that all nodes get their turn. Called under the state's lock.
/// </summary>
internal sealed class SchedulingAlgorithm(int percentageOfNodesToScore, Random random)
{
    private const int MinFeasibleNodes = 100;
    private int _start;

    /// <summary>The nodes that can take the Pod, as many as are enough.</summary>
    public Feasibility Filter(Profile profile, PodInfo pod, ClusterState state)
    {
        var cycle = new Cycle(profile, pod, state, state.Nodes);
        var refusals = new NodeRefusals();
        if (cycle.Nodes.Length == 0)
        {
            return new Feasibility(cycle, [], refusals);
        }

        if (profile.RunPreFilters(cycle) is { } refused)
        {
            refusals.Others = refused;
            refusals.Plugins.Add(refused.Plugin);
            return new Feasibility(cycle, [], refusals) { PreFilter = refused };
        }

        var nodes = cycle.Nodes;
        if (cycle.Allowed is { } allowed)
        {
            nodes = [.. allowed.Select(state.Node).OfType<NodeInfo>().Where(n => n.Node is not null)];
            refusals.Others = new Refusal(
                RefusalKind.UnschedulableAndUnresolvable, cycle.NarrowedBy.Min!, $"node(s) didn't satisfy plugin(s) [{string.Join(' ', cycle.NarrowedBy)}]");
            refusals.Plugins.UnionWith(cycle.NarrowedBy);
        }

        var feasible = Nominated(profile, cycle, state) is { } node ? [node] : Feasible(profile, cycle, nodes, refusals);
        if (feasible.Count == 0)
        {
            refusals.Collect();
        }

        return new Feasibility(cycle, feasible, refusals);
    }

    /// <summary>The best of the feasible nodes. Extra scores come from extenders.</summary>
    public NodeInfo Choose(Cycle cycle, List<NodeInfo> feasible, IReadOnlyDictionary<string, long>? extra = null)
    {
        if (feasible.Count == 1)
        {
            return feasible[0];
        }

        var totals = new long[feasible.Count];
        Score(cycle, feasible, totals);
        for (var i = 0; extra is not null && i < totals.Length; i++)
        {
            totals[i] += extra.GetValueOrDefault(feasible[i].Name);
        }

        return feasible[Highest(totals)];
    }

    /// <summary>Adds every plugin's weighed score; tells each to who wants to know.</summary>
    public static void Score(Cycle cycle, List<NodeInfo> feasible, long[] totals, Action<WeightedPlugin, long[]>? tell = null)
    {
        var scores = new long[feasible.Count];
        foreach (var weighted in cycle.Profile.Scores)
        {
            var scorer = (IScore)weighted.Plugin;
            if (scorer is IPreScore prepared && Array.IndexOf(cycle.Profile.PreScores, prepared) >= 0 && !prepared.PreScore(cycle, feasible))
            {
                continue;
            }

            for (var i = 0; i < scores.Length; i++)
            {
                scores[i] = scorer.Score(cycle, feasible[i]);
            }

            scorer.Normalize(cycle, feasible, scores);
            tell?.Invoke(weighted, scores);
            for (var i = 0; i < scores.Length; i++)
            {
                totals[i] += scores[i] * weighted.Weight;
            }
        }
    }

    /// <summary>A Pod that made room is tried there first.</summary>
    private static NodeInfo? Nominated(Profile profile, Cycle cycle, ClusterState state) =>
        state.Nominated.NodeOf(cycle.Pod.Key) is { } name && state.Node(name) is { Node: not null } node && cycle.Allowed?.Contains(name) != false
        && profile.RunFiltersWithNominated(cycle, node) is null ? node : null;

    private List<NodeInfo> Feasible(Profile profile, Cycle cycle, NodeInfo[] nodes, NodeRefusals refusals)
    {
        var enough = Enough(nodes.Length, profile.PercentageOfNodesToScore ?? percentageOfNodesToScore);
        var feasible = new List<NodeInfo>(enough);
        var looked = 0;
        for (; looked < nodes.Length && feasible.Count < enough; looked++)
        {
            var node = nodes[(_start + looked) % nodes.Length];
            if (profile.RunFiltersWithNominated(cycle, node) is { } refusal)
            {
                refusals.Add(node, refusal);
            }
            else
            {
                feasible.Add(node);
            }
        }

        _start = nodes.Length == 0 ? 0 : (_start + looked) % nodes.Length;
        return feasible;
    }

    private static int Enough(int nodes, int percentage)
    {
        if (nodes < MinFeasibleNodes || percentage >= 100)
        {
            return nodes;
        }

        return Math.Max(MinFeasibleNodes, nodes * (percentage > 0 ? percentage : Math.Max(5, 50 - (nodes / 125))) / 100);
    }

    private int Highest(long[] totals)
    {
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

        return best;
    }
}
