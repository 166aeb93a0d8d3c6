using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.NodeResources;

/// <summary>What the node has left must cover the Pod's requests. Scores by what would be left (or taken) of the weighed resources.</summary>
/// <param name="strategy">How it scores.</param>
/// <param name="ignored">Extended resources, and groups of them, that are some extender's business.</param>
internal sealed class NodeResourcesFit(ScoringStrategy strategy, IReadOnlySet<string> ignored) : Plugin, IFilter, IScore
{
    private readonly (ResourceName Name, int Weight)[] _weighed = [.. strategy.Resources.Select(r => (new ResourceName(r.Name), r.Weight))];
    private readonly Refusal?[] _common = new Refusal?[32];

    public override string Name => nameof(NodeResourcesFit);

    public override ClusterEvents Wakes => ClusterEvents.NodeAdded | ClusterEvents.NodeAllocatable | ClusterEvents.AssignedPodDeleted | ClusterEvents.AssignedPodChanged | ClusterEvents.PodItself;

    /// <summary>A Pod that goes helps always by its place; a node only when it is large enough.</summary>
    public override bool Helps(PodInfo pod, in ClusterEvent happened) =>
        NodeHelps(happened, node => node.Allocatable.Pods > 0 && Covers(node.Allocatable, pod.Requests));

    public Refusal? Filter(Cycle cycle, NodeInfo node)
    {
        var (want, has, used) = (cycle.Pod.Requests, node.Allocatable, node.Requested);
        var missing = (node.Pods.Count + 1 > has.Pods ? 1 : 0)
            | (want.MilliCpu > 0 && want.MilliCpu > has.MilliCpu - used.MilliCpu ? 2 : 0)
            | (want.Memory > 0 && want.Memory > has.Memory - used.Memory ? 4 : 0)
            | (want.EphemeralStorage > 0 && want.EphemeralStorage > has.EphemeralStorage - used.EphemeralStorage ? 8 : 0);
        return want.Others is not null ? WithOthers(want, node, missing)
            : missing == 0 ? null : Common(missing | (Hopeless(want, has) ? 16 : 0));
    }

    public long Score(Cycle cycle, NodeInfo node)
    {
        long sum = 0, weights = 0;
        foreach (var (name, weight) in _weighed)
        {
            var allocatable = node.Allocatable.Get(name);
            if (allocatable == 0 || (name.Kind == ResourceKind.Other && cycle.Pod.Requests.Get(name) == 0))
            {
                continue;
            }

            sum += weight * strategy.Score(Requested(cycle.Pod, node, name), allocatable);
            weights += weight;
        }

        return weights == 0 ? 0 : strategy.Type == ScoringType.RequestedToCapacityRatio ? (long)Math.Round(sum / (double)weights, MidpointRounding.AwayFromZero) : sum / weights;
    }

    /// <summary>CPU and memory count Pods without requests with a default, so that they spread as well.</summary>
    private static long Requested(PodInfo pod, NodeInfo node, ResourceName name) => name.Kind switch
    {
        ResourceKind.Cpu => node.NonZeroMilliCpu + pod.NonZeroMilliCpu,
        ResourceKind.Memory => node.NonZeroMemory + pod.NonZeroMemory,
        _ => node.Requested.Get(name) + pod.Requests.Get(name),
    };

    private Refusal? WithOthers(ResourceVector want, NodeInfo node, int missing)
    {
        List<string>? others = null;
        var hopeless = Hopeless(want, node.Allocatable);
        foreach (var (name, amount) in want.Others!)
        {
            if (amount > 0 && amount > node.Allocatable.Get(name) - node.Requested.Get(name) && !Ignores(name))
            {
                (others ??= []).Add("Insufficient " + name);
                hopeless |= amount > node.Allocatable.Get(name);
            }
        }

        return others is null ? missing == 0 ? null : Common(missing | (hopeless ? 16 : 0)) : Make([.. Reasons(missing), .. others], hopeless);
    }

    private bool Ignores(string name) => ignored.Count > 0 && (ignored.Contains(name) || ignored.Contains(name.Split('/')[0]));

    /// <summary>Not even an empty node would do.</summary>
    private static bool Hopeless(ResourceVector want, ResourceVector has) =>
        want.MilliCpu > has.MilliCpu || want.Memory > has.Memory || want.EphemeralStorage > has.EphemeralStorage;

    private static bool Covers(ResourceVector has, ResourceVector want) =>
        !Hopeless(want, has) && (want.Others ?? []).All(o => o.Value <= has.Get(o.Key));

    private Refusal Common(int missing) => _common[missing] ??= Make(Reasons(missing), (missing & 16) != 0);

    private Refusal Make(string[] reasons, bool hopeless) => new(hopeless ? RefusalKind.UnschedulableAndUnresolvable : RefusalKind.Unschedulable, Name, reasons);

    private static string[] Reasons(int missing)
    {
        string[] all = ["Too many pods", "Insufficient cpu", "Insufficient memory", "Insufficient ephemeral-storage"];
        return [.. all.Where((_, i) => (missing & (1 << i)) != 0)];
    }
}
