namespace Hardway.Storage.Cache;

/// <summary>
/// One partition at one revision. Immutable and cheap to keep: a list that is read in pages can hold it to serve the next pages
/// of the same revision.
/// </summary>
public sealed class CacheSnapshot
{
    private readonly KeySnapshot _objects;

    internal CacheSnapshot(KeySnapshot objects, long revision, long lastChange)
    {
        LastChange = lastChange;
        _objects = objects;
        Revision = revision;
    }

    public long Revision { get; }

    /// <summary>The revision of the partition's last change: what was derived from it holds while this stays. 0 when it never had an object.</summary>
    public long LastChange { get; }

    /// <summary>Objects in the whole partition, under any prefix.</summary>
    public int PartitionCount => _objects.Count;

    public CachedObject? Find(string key) => _objects.Find(key);

    /// <summary>Objects whose keys begin with the prefix, from a key on (inclusive) when given, in key order.</summary>
    public IEnumerable<CachedObject> Range(string prefix, string? startKey = null) => _objects.Range(prefix, startKey);
}
