using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Framework;

/// <summary>
/// A scheduling rule under its upstream name. It implements the extension points below that it takes part in. Plugins have no state of their
/// own between cycles; what one point computes for another is kept in the <see cref="Cycle"/>. Called under the cluster state's lock, except
/// <see cref="IPreBind"/>.
/// </summary>
internal abstract class Plugin
{
    public abstract string Name { get; }

    /// <summary>Events that may change a refusal of this plugin.</summary>
    public virtual ClusterEvents Wakes => ClusterEvents.All;
}

/// <summary>Before a Pod may wait to be scheduled at all.</summary>
internal interface IPreEnqueue
{
    Refusal? PreEnqueue(PodInfo pod);
}

/// <summary>Which nodes can take the Pod.</summary>
internal interface IFilter
{
    /// <summary>Once a cycle. A refusal here is for all nodes.</summary>
    Refusal? PreFilter(Cycle cycle) => null;

    Refusal? Filter(Cycle cycle, NodeInfo node);
}

/// <summary>Which of the feasible nodes is best, 0 to 100 after <see cref="Normalize"/>.</summary>
internal interface IScore
{
    /// <summary>Once a cycle, with the feasible nodes; false: this plugin has nothing to say about the Pod.</summary>
    bool PreScore(Cycle cycle, IReadOnlyList<NodeInfo> nodes) => true;

    long Score(Cycle cycle, NodeInfo node);

    void Normalize(Cycle cycle, IReadOnlyList<NodeInfo> nodes, Span<long> scores)
    {
    }
}

/// <summary>When no node fits: make room. Returns the node that will have it, and what to tell.</summary>
internal interface IPostFilter
{
    PostFilterResult PostFilter(Cycle cycle, IReadOnlyDictionary<string, Refusal> refusals);
}

/// <summary>Victims to delete so that the Pod fits on the node; no node when there are none.</summary>
internal sealed record PostFilterResult(string? Node, IReadOnlyList<PodInfo> Victims, string Message);

/// <summary>Work before the binding, such as provisioning volumes. Not under the lock; may wait.</summary>
internal interface IPreBind
{
    Task<Refusal?> PreBindAsync(PodInfo pod, string node, CancellationToken cancel);
}

/// <summary>Plugins together with the weight of their score.</summary>
internal sealed record WeightedPlugin(Plugin Plugin, int Weight);

internal static class Scores
{
    public const long Max = 100;

    /// <summary>Scales so that the largest becomes 100; reversed, the largest becomes 0.</summary>
    public static void Normalize(Span<long> scores, bool reverse)
    {
        long max = 0;
        foreach (var score in scores)
        {
            max = Math.Max(max, score);
        }

        for (var i = 0; i < scores.Length; i++)
        {
            var scaled = max == 0 ? 0 : Max * scores[i] / max;
            scores[i] = reverse ? Max - scaled : scaled;
        }
    }
}
