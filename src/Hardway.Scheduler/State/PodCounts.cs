namespace Hardway.Scheduler.State;

/// <summary>
/// How many Pods of each node match something that many Pods in the queue ask for again (the replicas of one set). A node is counted anew only
/// when its Pods changed since. Keeps the sets used last. Guarded by the state's lock.
/// </summary>
internal sealed class PodCounts
{
    private const int MaxSets = 64;
    private readonly Dictionary<string, PodCount> _sets = new(StringComparer.Ordinal);
    private long _uses;

    /// <param name="key">Stands for the condition: two conditions with one key must be the same.</param>
    /// <param name="matches">The condition; depends on nothing but the Pod.</param>
    public PodCount Of(string key, Func<PodInfo, bool> matches)
    {
        if (!_sets.TryGetValue(key, out var set))
        {
            if (_sets.Count >= MaxSets)
            {
                _sets.Remove(_sets.MinBy(s => s.Value.LastUse).Key);
            }

            _sets[key] = set = new PodCount(matches);
        }

        set.LastUse = ++_uses;
        return set;
    }
}

/// <summary>The counts of one condition, by the nodes' slots.</summary>
internal sealed class PodCount(Func<PodInfo, bool> matches)
{
    private (long Generation, int Count)[] _slots = [];

    public long LastUse { get; set; }

    public int On(NodeInfo node)
    {
        if (node.Slot < 0)
        {
            return Count(node);
        }

        if (node.Slot >= _slots.Length)
        {
            Array.Resize(ref _slots, Math.Max(node.Slot + 1, _slots.Length * 2));
        }

        ref var slot = ref _slots[node.Slot];
        if (slot.Generation != node.Generation)
        {
            slot = (node.Generation, Count(node));
        }

        return slot.Count;
    }

    private int Count(NodeInfo node)
    {
        var count = 0;
        foreach (var pod in node.Pods)
        {
            count += matches(pod) ? 1 : 0;
        }

        return count;
    }
}
