using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.NodeResources;

/// <summary>Prefers nodes whose resources would be used evenly: 100 minus the standard deviation of the used fractions.</summary>
internal sealed class NodeResourcesBalancedAllocation(IReadOnlyList<(string Name, int Weight)> resources) : Plugin, IPreScore, IScore
{
    private readonly ResourceName[] _resources = [.. resources.Select(r => new ResourceName(r.Name))];

    public override string Name => nameof(NodeResourcesBalancedAllocation);

    /// <summary>A Pod without requests changes no balance.</summary>
    public bool PreScore(Cycle cycle, IReadOnlyList<NodeInfo> nodes)
    {
        foreach (var name in _resources)
        {
            if (cycle.Pod.Requests.Get(name) > 0)
            {
                return true;
            }
        }

        return false;
    }

    public long Score(Cycle cycle, NodeInfo node)
    {
        Span<double> fractions = stackalloc double[_resources.Length];
        var count = 0;
        double sum = 0;
        foreach (var name in _resources)
        {
            var allocatable = node.Allocatable.Get(name);
            if (allocatable > 0 && (name.Kind != ResourceKind.Other || cycle.Pod.Requests.Get(name) > 0))
            {
                var fraction = Math.Min(1, (node.Requested.Get(name) + cycle.Pod.Requests.Get(name)) / (double)allocatable);
                fractions[count++] = fraction;
                sum += fraction;
            }
        }

        if (count == 0)
        {
            return Scores.Max;
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
