using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Framework;

/// <summary>One attempt to place one Pod: the Pod, the nodes as they are, and what plugins computed for their later points. One thread.</summary>
internal sealed class Cycle(Profile profile, PodInfo pod, ClusterState state, NodeInfo[] nodes)
{
    private readonly object?[] _filterState = new object?[profile.PluginCount];
    private object?[]? _scoreState;

    public Profile Profile { get; } = profile;

    public PodInfo Pod { get; } = pod;

    public NodeInfo[] Nodes { get; } = nodes;

    public ClusterState State { get; } = state;

    public IClusterListers Listers => State.Listers;

    /// <summary>The node that this trial replaced by another, and that other; null in the real cluster.</summary>
    public NodeInfo? Replaced { get; private init; }

    public NodeInfo? Replacement { get; private init; }

    /// <summary>The filters that have something to say about this Pod.</summary>
    public IFilter[] Filters { get; set; } = [];

    /// <summary>Nodes that pre-filters left, and which of them narrowed them; null: all.</summary>
    public IReadOnlySet<string>? Allowed { get; private set; }

    public SortedSet<string> NarrowedBy { get; } = new(StringComparer.Ordinal);

    public void Narrow(string plugin, IReadOnlySet<string> nodes)
    {
        Allowed = Allowed is null ? nodes : Allowed.Intersect(nodes, StringComparer.Ordinal).ToHashSet(StringComparer.Ordinal);
        NarrowedBy.Add(plugin);
    }

    public void Keep(Plugin plugin, object state) => _filterState[plugin.Index] = state;

    public T? Kept<T>(Plugin plugin) where T : class => (T?)_filterState[plugin.Index];

    public void KeepForScore(Plugin plugin, object state) => (_scoreState ??= new object?[Profile.PluginCount])[plugin.Index] = state;

    public T KeptForScore<T>(Plugin plugin) where T : class => (T)_scoreState![plugin.Index]!;

    /// <summary>The same attempt in a cluster where one node is different: used to try out preemption and nominated Pods.</summary>
    public Cycle With(NodeInfo original, NodeInfo changed)
    {
        var nodes = (NodeInfo[])Nodes.Clone();
        var at = Array.IndexOf(nodes, original);
        if (at >= 0)
        {
            nodes[at] = changed;
        }

        return new Cycle(Profile, Pod, State, nodes) { Replaced = Replaced ?? original, Replacement = changed };
    }
}
