using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Framework;

/// <summary>
/// A scheduling rule under its upstream name. It implements the extension points below that it takes part in. Plugins have no state of their
/// own between cycles; what one point computes for another is kept in the <see cref="Cycle"/>. Called under the cluster state's lock, except
/// <see cref="IPreBind"/> and <see cref="IBind"/>.
/// </summary>
internal abstract class Plugin
{
    public abstract string Name { get; }

    /// <summary>Its place in the profile; set once, by the profile.</summary>
    public int Index { get; set; }

    /// <summary>Events that may change a refusal of this plugin.</summary>
    public virtual ClusterEvents Wakes => ClusterEvents.All;

    /// <summary>Whether such an event may help this Pod, which the plugin refused. Also asked beside a scheduling cycle: must only look at its arguments.</summary>
    public virtual bool Helps(PodInfo pod, in ClusterEvent happened) => true;

    /// <summary>Whether a node as it is in the event could pass; true for events of other kinds.</summary>
    protected static bool NodeHelps(in ClusterEvent happened, Func<NodeInfo, bool> passes)
    {
        if (happened.Node is not { } node)
        {
            return true;
        }

        var info = new NodeInfo(node.Metadata.Name);
        info.SetNode(node);
        return passes(info);
    }
}

/// <summary>Before a Pod may wait to be scheduled at all.</summary>
internal interface IPreEnqueue
{
    Refusal? PreEnqueue(PodInfo pod);
}

/// <summary>The order of Pods in the queue.</summary>
internal interface IQueueSort
{
    int Compare(PodInfo a, DateTimeOffset since, PodInfo b, DateTimeOffset sinceB);
}

/// <summary>Once a cycle: refuses the Pod on all nodes, narrows the nodes, or takes the plugin's filter out of the cycle.</summary>
internal interface IPreFilter
{
    PreFilterAnswer PreFilter(Cycle cycle);
}

/// <summary>Which nodes can take the Pod.</summary>
internal interface IFilter
{
    Refusal? Filter(Cycle cycle, NodeInfo node);
}

/// <summary>Once a cycle, with the feasible nodes; false: this plugin has nothing to say about the Pod.</summary>
internal interface IPreScore
{
    bool PreScore(Cycle cycle, IReadOnlyList<NodeInfo> nodes);
}

/// <summary>Which of the feasible nodes is best, 0 to 100 after <see cref="Normalize"/>.</summary>
internal interface IScore
{
    long Score(Cycle cycle, NodeInfo node);

    void Normalize(Cycle cycle, IReadOnlyList<NodeInfo> nodes, Span<long> scores)
    {
    }
}

/// <summary>When no node fits: make room. Returns the node that will have it, and what to tell.</summary>
internal interface IPostFilter
{
    PostFilterResult PostFilter(Cycle cycle, NodeRefusals refusals);
}

/// <summary>Victims to delete so that the Pod fits on the node; no node when there are none.</summary>
internal sealed record PostFilterResult(string? Node, IReadOnlyList<PodInfo> Victims, string Message)
{
    /// <summary>All that was found, the best first, for extenders to narrow.</summary>
    public IReadOnlyList<PreemptionCandidate> Candidates { get; init; } = [];
}

/// <summary>A node, who must leave it, and how many of them are protected by a disruption budget.</summary>
internal sealed record PreemptionCandidate(string Node, IReadOnlyList<PodInfo> Victims, int Violations);

/// <summary>Takes what the Pod needs beside the node's sums, as long as its binding is under way. Unreserve also undoes what was not reserved.</summary>
internal interface IReserve
{
    Refusal? Reserve(Cycle cycle, NodeInfo node);

    void Unreserve(PodInfo pod);
}

/// <summary>Work before the binding, such as provisioning volumes. Not under the lock; may wait.</summary>
internal interface IPreBind
{
    Task<Refusal?> PreBindAsync(PodInfo pod, string node, CancellationToken cancel);
}

/// <summary>Writes the binding. Not under the lock.</summary>
internal interface IBind
{
    Task BindAsync(PodInfo pod, string node, CancellationToken cancel);
}
