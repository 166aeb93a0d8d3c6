namespace Hardway.Scheduler.State;

/// <summary>Pods that preempted room on a node and wait for their victims to go. Guarded by the cluster state's lock.</summary>
internal sealed class NominatedPods
{
    private static readonly List<PodInfo> s_none = [];
    private readonly Dictionary<string, string> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<PodInfo>> _byNode = new(StringComparer.Ordinal);

    public void Set(PodInfo pod, string node)
    {
        Remove(pod.Key);
        _nodes[pod.Key] = node;
        if (!_byNode.TryGetValue(node, out var pods))
        {
            _byNode[node] = pods = [];
        }

        pods.Add(pod);
    }

    public void Remove(string key)
    {
        if (_nodes.Remove(key, out var node) && _byNode.TryGetValue(node, out var pods))
        {
            pods.RemoveAll(p => p.Key == key);
            if (pods.Count == 0)
            {
                _byNode.Remove(node);
            }
        }
    }

    public string? NodeOf(string key) => _nodes.GetValueOrDefault(key);

    /// <summary>Those on this node that are at least as important as the Pod, without itself.</summary>
    public List<PodInfo> On(string node, PodInfo pod) =>
        _byNode.Count > 0 && _byNode.TryGetValue(node, out var pods) ? pods.FindAll(p => p.Key != pod.Key && p.Priority >= pod.Priority) : s_none;

    /// <summary>Those on this node that are less important: their nomination is void once another Pod makes room there.</summary>
    public List<PodInfo> Below(string node, PodInfo pod) =>
        _byNode.TryGetValue(node, out var pods) ? pods.FindAll(p => p.Key != pod.Key && p.Priority < pod.Priority) : s_none;
}
