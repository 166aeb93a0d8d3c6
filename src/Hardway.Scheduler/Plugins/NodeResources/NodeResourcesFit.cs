using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.NodeResources;

internal enum ScoringStrategy
{
    LeastAllocated,
    MostAllocated,
}

/// <summary>What the node has left must cover the Pod's requests. Scores by what would be left (or taken) of the weighed resources.</summary>
internal sealed class NodeResourcesFit(ScoringStrategy strategy, IReadOnlyList<(string Name, int Weight)> resources) : Plugin, IFilter, IScore
{
    public static readonly IReadOnlyList<(string Name, int Weight)> DefaultResources = [("cpu", 1), ("memory", 1)];

    public override string Name => nameof(NodeResourcesFit);

    public override ClusterEvents Wakes => ClusterEvents.NodeAdded | ClusterEvents.NodeAllocatable | ClusterEvents.AssignedPodDeleted | ClusterEvents.AssignedPodChanged | ClusterEvents.PodItself;

    public Refusal? Filter(Cycle cycle, NodeInfo node)
    {
        var want = cycle.Pod.Requests;
        List<string>? missing = null;
        var hopeless = false;
        if (node.Pods.Count + 1 > node.Allocatable.Pods)
        {
            (missing ??= []).Add("Too many pods");
        }

        Check("cpu", want.MilliCpu);
        Check("memory", want.Memory);
        Check("ephemeral-storage", want.EphemeralStorage);
        foreach (var (name, amount) in want.Others ?? [])
        {
            Check(name, amount);
        }

        return missing is null ? null : new Refusal(hopeless ? RefusalKind.UnschedulableAndUnresolvable : RefusalKind.Unschedulable, Name, [.. missing]);

        void Check(string name, long amount)
        {
            if (amount > 0 && amount > node.Allocatable.Get(name) - node.Requested.Get(name))
            {
                (missing ??= []).Add("Insufficient " + name);
                hopeless |= amount > node.Allocatable.Get(name); // not even an empty node would do
            }
        }
    }

    public long Score(Cycle cycle, NodeInfo node)
    {
        long sum = 0, weights = 0;
        foreach (var (name, weight) in resources)
        {
            var allocatable = node.Allocatable.Get(name);
            if (allocatable == 0)
            {
                continue;
            }

            var used = Math.Min(allocatable, Requested(cycle.Pod, node, name));
            sum += weight * (strategy == ScoringStrategy.MostAllocated ? used : allocatable - used) * Scores.Max / allocatable;
            weights += weight;
        }

        return weights == 0 ? 0 : sum / weights;
    }

    /// <summary>CPU and memory count Pods without requests with a default, so that they spread as well.</summary>
    private static long Requested(PodInfo pod, NodeInfo node, string name) => name switch
    {
        "cpu" => node.NonZeroMilliCpu + pod.NonZeroMilliCpu,
        "memory" => node.NonZeroMemory + pod.NonZeroMemory,
        _ => node.Requested.Get(name) + pod.Requests.Get(name),
    };
}
