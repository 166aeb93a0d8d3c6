using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Queue;

/// <summary>What the queue asks the profiles: may a Pod enter, who comes first, does an event help a Pod that certain plugins refused.</summary>
internal sealed class QueueRules(IReadOnlyDictionary<string, Profile> profiles)
{
    /// <summary>Stands for "there is no node at all" among the plugins that refused: any new node wakes the Pod.</summary>
    public const string NoNodes = "NoNodes";

    private readonly IQueueSort? _sort = profiles.Values.Select(p => p.QueueSort).FirstOrDefault();

    public int Compare(QueuedPod a, QueuedPod b) => _sort is null ? a.Timestamp.CompareTo(b.Timestamp) : _sort.Compare(a.Pod, a.Timestamp, b.Pod, b.Timestamp);

    public Refusal? PreEnqueue(PodInfo pod)
    {
        if (profiles.TryGetValue(pod.Pod.Spec.SchedulerName, out var profile))
        {
            foreach (var plugin in profile.PreEnqueue)
            {
                if (plugin.PreEnqueue(pod) is { } gated)
                {
                    return gated;
                }
            }
        }

        return null;
    }

    public bool Helps(QueuedPod queued, in ClusterEvent happened)
    {
        if (!profiles.TryGetValue(queued.Pod.Pod.Spec.SchedulerName, out var profile))
        {
            return false;
        }

        foreach (var name in queued.RefusedBy)
        {
            if (name == NoNodes ? (happened.Kind & ClusterEvents.NodeAdded) != 0
                : !profile.ByName.TryGetValue(name, out var plugin) || ((plugin.Wakes & happened.Kind) != 0 && plugin.Helps(queued.Pod, happened)))
            {
                return true;
            }
        }

        return false;
    }
}
