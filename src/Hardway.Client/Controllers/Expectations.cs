namespace Hardway.Client;

/// <summary>
/// What a controller did and its informer has not shown yet, by owner key: creations as a count, deletions by UID. While something is
/// expected, counting the cache would lead to doing it twice. Expectations older than five minutes are given up (an event was missed).
/// Safe for all threads.
/// </summary>
public sealed class Expectations(TimeProvider time)
{
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(5);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _byKey = new(StringComparer.Ordinal);

    private sealed class Entry
    {
        public int Creations { get; set; }
        public HashSet<string> Deletions { get; } = new(StringComparer.Ordinal);
        public long Since { get; set; }
    }

    /// <summary>Has the cache caught up with what was done for the key?</summary>
    public bool Satisfied(string key)
    {
        lock (_gate)
        {
            if (!_byKey.TryGetValue(key, out var entry)) return true;
            if ((entry.Creations > 0 || entry.Deletions.Count > 0) && time.GetElapsedTime(entry.Since) < _patience) return false;
            _byKey.Remove(key);
            return true;
        }
    }

    public void ExpectCreations(string key, int count)
    {
        lock (_gate) Open(key).Creations += count;
    }

    public void ExpectDeletions(string key, IEnumerable<string> uids)
    {
        lock (_gate) Open(key).Deletions.UnionWith(uids);
    }

    /// <summary>A creation was seen, or failed.</summary>
    public void CreationObserved(string key)
    {
        lock (_gate)
        {
            if (_byKey.TryGetValue(key, out var entry) && entry.Creations > 0) entry.Creations--;
        }
    }

    /// <summary>A deletion was seen (also: began, by its deletion timestamp), or failed.</summary>
    public void DeletionObserved(string key, string uid)
    {
        lock (_gate)
        {
            if (_byKey.TryGetValue(key, out var entry)) entry.Deletions.Remove(uid);
        }
    }

    public void Forget(string key)
    {
        lock (_gate) _byKey.Remove(key);
    }

    private Entry Open(string key)
    {
        if (!_byKey.TryGetValue(key, out var entry)) _byKey[key] = entry = new Entry();
        entry.Since = time.GetTimestamp();
        return entry;
    }
}
