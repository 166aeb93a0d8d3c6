using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Scheduling;

/// <summary>Pods that preempted room on a node and wait for their victims to go. Guarded by the cluster state's lock.</summary>
internal sealed class NominatedPods
{
    private readonly Dictionary<string, (PodInfo Pod, string Node)> _byKey = new(StringComparer.Ordinal);

    public void Set(PodInfo pod, string node) => _byKey[pod.Key] = (pod, node);

    public void Remove(string key) => _byKey.Remove(key);

    public string? NodeOf(string key) => _byKey.TryGetValue(key, out var nominated) ? nominated.Node : null;

    /// <summary>Those on this node that are at least as important as the Pod, without itself.</summary>
    public List<PodInfo> On(string node, PodInfo pod)
    {
        var found = new List<PodInfo>();
        foreach (var (other, on) in _byKey.Values)
        {
            if (on == node && other.Key != pod.Key && other.Priority >= pod.Priority)
            {
                found.Add(other);
            }
        }

        return found;
    }
}
