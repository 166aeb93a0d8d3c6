using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Framework;

/// <summary>One attempt to place one Pod: the Pod, the nodes as they are, and what plugins computed for their later points. One thread.</summary>
internal sealed class Cycle(PodInfo pod, IReadOnlyList<NodeInfo> nodes, IClusterListers listers)
{
    private readonly Dictionary<Plugin, object> _state = new(ReferenceEqualityComparer.Instance);

    public PodInfo Pod { get; } = pod;

    public IReadOnlyList<NodeInfo> Nodes { get; } = nodes;

    public IClusterListers Listers { get; } = listers;

    public void Set(Plugin plugin, object state) => _state[plugin] = state;

    public void Clear(Plugin plugin) => _state.Remove(plugin);

    public T? Get<T>(Plugin plugin) where T : class => _state.GetValueOrDefault(plugin) as T;

    /// <summary>The same attempt in a cluster where one node is different: used to try out preemption and nominated Pods.</summary>
    public Cycle With(NodeInfo changed)
    {
        var nodes = new List<NodeInfo>(Nodes.Count);
        foreach (var node in Nodes)
        {
            nodes.Add(node.Name == changed.Name ? changed : node);
        }

        return new Cycle(Pod, nodes, Listers);
    }
}
