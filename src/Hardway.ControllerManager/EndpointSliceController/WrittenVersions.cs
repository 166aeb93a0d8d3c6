using System.Globalization;
using Hardway.Api;

namespace Hardway.ControllerManager;

/// <summary>The versions a controller wrote for an owner, until its cache shows them: deciding on an older cache would do things twice. Safe for all threads.</summary>
internal sealed class WrittenVersions
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _byKey = new(StringComparer.Ordinal);

    private sealed class Entry
    {
        public Dictionary<string, ulong> Written { get; } = new(StringComparer.Ordinal);
        public HashSet<string> Deleted { get; } = new(StringComparer.Ordinal);
    }

    public void Wrote(string key, KubeObject obj)
    {
        lock (_gate) Open(key).Written[obj.Metadata.Uid] = VersionOf(obj);
    }

    public void Deleted(string key, KubeObject obj)
    {
        lock (_gate)
        {
            Open(key).Deleted.Add(obj.Metadata.Uid);
            Open(key).Written.Remove(obj.Metadata.Uid);
        }
    }

    /// <summary>The informer told of a deletion, ours or another's.</summary>
    public void DeletionSeen(string key, KubeObject obj)
    {
        lock (_gate)
        {
            if (!_byKey.TryGetValue(key, out var entry)) return;
            entry.Written.Remove(obj.Metadata.Uid);
            entry.Deleted.Remove(obj.Metadata.Uid);
        }
    }

    public bool IsOpen(string key) { lock (_gate) return _byKey.ContainsKey(key); }

    public void Forget(string key) { lock (_gate) _byKey.Remove(key); }

    /// <summary>Does the cache show everything that was written? Then nothing is remembered any more.</summary>
    public bool Seen(string key, IEnumerable<KubeObject> cached)
    {
        lock (_gate)
        {
            if (!_byKey.TryGetValue(key, out var entry)) return true;
            var have = cached.ToDictionary(o => o.Metadata.Uid, VersionOf, StringComparer.Ordinal);
            if (entry.Deleted.Any(have.ContainsKey)) return false;
            if (entry.Written.Any(w => !have.TryGetValue(w.Key, out var version) || version < w.Value)) return false;
            _byKey.Remove(key);
            return true;
        }
    }

    private Entry Open(string key)
    {
        if (!_byKey.TryGetValue(key, out var entry)) _byKey[key] = entry = new Entry();
        return entry;
    }

    private static ulong VersionOf(KubeObject obj) => ulong.TryParse(obj.Metadata.ResourceVersion, NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : 0;
}
