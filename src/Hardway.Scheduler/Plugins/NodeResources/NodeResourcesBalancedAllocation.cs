using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.NodeResources;

/// <summary>Prefers nodes whose resources would be used evenly: 100 minus the standard deviation of the used fractions.</summary>
internal sealed class NodeResourcesBalancedAllocation(IReadOnlyList<(string Name, int Weight)> resources) : Plugin, IScore
{
    public override string Name => nameof(NodeResourcesBalancedAllocation);

    /// <summary>A Pod without requests changes no balance.</summary>
    public bool PreScore(Cycle cycle, IReadOnlyList<NodeInfo> nodes) => resources.Any(r => cycle.Pod.Requests.Get(r.Name) > 0);

    public long Score(Cycle cycle, NodeInfo node)
    {
        Span<double> fractions = stackalloc double[resources.Count];
        var count = 0;
        double sum = 0;
        foreach (var (name, _) in resources)
        {
            var allocatable = node.Allocatable.Get(name);
            if (allocatable > 0)
            {
                var fraction = Math.Min(1, (node.Requested.Get(name) + cycle.Pod.Requests.Get(name)) / (double)allocatable);
                fractions[count++] = fraction;
                sum += fraction;
            }
        }

        if (count == 0)
        {
            return 0;
        }

        var mean = sum / count;
        double squares = 0;
        for (var i = 0; i < count; i++)
        {
            squares += (fractions[i] - mean) * (fractions[i] - mean);
        }

        return (long)((1 - Math.Sqrt(squares / count)) * Scores.Max);
    }
}
