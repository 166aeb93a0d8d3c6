using Hardway.Api.Core.V1;

namespace Hardway.Scheduler.State;

/// <summary>
/// Nodes and their Pods as the scheduler sees them: what informers told, plus Pods assumed to be bound while their binding is under way.
/// <code>
///   Assume ──► (informer sees it bound) confirmed
///     └──────► (binding failed) Forget
/// </code>
/// Callers hold <see cref="Lock"/>: handlers for one change, the scheduler for a whole cycle, so that plugins see one state without a copy.
/// Lock order: this one, then the queue's.
/// </summary>
internal sealed class ClusterState(IClusterListers listers)
{
    private readonly Dictionary<string, NodeInfo> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PodInfo> _pods = new(StringComparer.Ordinal);
    private readonly HashSet<string> _assumed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _imageNodes = new(StringComparer.Ordinal);
    private readonly Stack<int> _freeSlots = new();
    private int _slots;
    private NodeInfo[]? _nodes;

    public Lock Lock { get; } = new();

    public IClusterListers Listers { get; } = listers;

    public NominatedPods Nominated { get; } = new();

    public PodCounts Counts { get; } = new();

    public TermIndex Terms { get; } = new();

    /// <summary>Nodes that exist, zone after zone in turn, so that who stops looking early has seen all zones.</summary>
    public NodeInfo[] Nodes => _nodes ??= InTurns();

    public int PodCount => _pods.Count;

    public int AssumedCount => _assumed.Count;

    public bool IsAssumed(string key) => _assumed.Contains(key);

    public NodeInfo? Node(string name) => _byName.GetValueOrDefault(name);

    public PodInfo? Pod(string key) => _pods.GetValueOrDefault(key);

    /// <summary>On how many nodes the image is.</summary>
    public int NodesWithImage(string image) => _imageNodes.GetValueOrDefault(image);

    public void SetNode(Node node)
    {
        var info = Info(node.Metadata.Name);
        var (old, zone) = (info.Node, info.Zone);
        CountImages(info, -1);
        info.SetNode(node);
        CountImages(info, 1);
        if (old is null || zone != info.Zone)
        {
            _nodes = null;
        }
    }

    public void RemoveNode(string name)
    {
        if (_byName.TryGetValue(name, out var info))
        {
            CountImages(info, -1);
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
            var slot = _freeSlots.TryPop(out var free) ? free : _slots++;
            _byName[name] = info = new NodeInfo(name, slot, Terms);
        }

        return info;
    }

    private void Drop(NodeInfo info)
    {
        if (info.Node is null && info.Pods.Count == 0)
        {
            _byName.Remove(info.Name);
            _freeSlots.Push(info.Slot);
        }
    }

    private void CountImages(NodeInfo info, int by)
    {
        foreach (var image in info.Images.Keys)
        {
            var count = _imageNodes.GetValueOrDefault(image) + by;
            if (count > 0)
            {
                _imageNodes[image] = count;
            }
            else
            {
                _imageNodes.Remove(image);
            }
        }
    }

    private NodeInfo[] InTurns()
    {
        var zones = _byName.Values.Where(n => n.Node is not null).GroupBy(n => n.Zone, StringComparer.Ordinal).OrderBy(z => z.Key, StringComparer.Ordinal)
            .Select(z => z.OrderBy(n => n.Name, StringComparer.Ordinal).ToArray()).ToList();
        var nodes = new List<NodeInfo>();
        for (var round = 0; zones.Exists(z => round < z.Length); round++)
        {
            nodes.AddRange(zones.Where(z => round < z.Length).Select(z => z[round]));
        }

        return [.. nodes];
    }
}
