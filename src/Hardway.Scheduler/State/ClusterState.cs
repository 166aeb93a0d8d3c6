using Hardway.Api.Core.V1;

namespace Hardway.Scheduler.State;

/// <summary>
/// Nodes and their Pods as the scheduler sees them: what informers told, plus Pods assumed to be bound while their binding is under way.
/// <code>
///   Assume ──► (informer sees it bound) confirmed
///     └──────► (binding failed) Forget
/// </code>
/// Callers hold <see cref="Lock"/>: handlers for one change, the scheduler for a whole cycle, so that plugins see one state.
/// Lock order: this one, then the queue's.
/// </summary>
internal sealed class ClusterState
{
    private readonly Dictionary<string, NodeInfo> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PodInfo> _pods = new(StringComparer.Ordinal);
    private readonly HashSet<string> _assumed = new(StringComparer.Ordinal);
    private List<NodeInfo>? _nodes;

    public Lock Lock { get; } = new();

    /// <summary>Nodes that exist, by name.</summary>
    public IReadOnlyList<NodeInfo> Nodes => _nodes ??= [.. _byName.Values.Where(n => n.Node is not null).OrderBy(n => n.Name, StringComparer.Ordinal)];

    public int AssumedCount => _assumed.Count;

    public bool IsAssumed(string key) => _assumed.Contains(key);

    public NodeInfo? Node(string name) => _byName.GetValueOrDefault(name);

    public void SetNode(Node node)
    {
        Info(node.Metadata.Name).SetNode(node);
        _nodes = null;
    }

    public void RemoveNode(string name)
    {
        if (_byName.TryGetValue(name, out var info))
        {
            info.SetNode(null);
            Drop(info);
            _nodes = null;
        }
    }

    /// <summary>A bound Pod appeared or changed; an assumed one is confirmed.</summary>
    public void SetPod(PodInfo pod)
    {
        RemovePod(pod.Key);
        _pods[pod.Key] = pod;
        Info(pod.NodeName).Add(pod);
    }

    public void RemovePod(string key)
    {
        _assumed.Remove(key);
        if (_pods.Remove(key, out var old) && _byName.TryGetValue(old.NodeName, out var info))
        {
            info.Remove(key);
            Drop(info);
        }
    }

    public void Assume(PodInfo pod)
    {
        SetPod(pod);
        _assumed.Add(pod.Key);
    }

    /// <summary>Undoes <see cref="Assume"/>, unless the Pod was confirmed meanwhile.</summary>
    public void Forget(PodInfo pod)
    {
        if (_assumed.Contains(pod.Key))
        {
            RemovePod(pod.Key);
        }
    }

    private NodeInfo Info(string name)
    {
        if (!_byName.TryGetValue(name, out var info))
        {
            _byName[name] = info = new NodeInfo(name);
            _nodes = null;
        }

        return info;
    }

    private void Drop(NodeInfo info)
    {
        if (info.Node is null && info.Pods.Count == 0)
        {
            _byName.Remove(info.Name);
        }
    }
}
