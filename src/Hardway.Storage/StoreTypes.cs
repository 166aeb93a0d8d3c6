namespace Hardway.Storage;

/// <summary>A key with its value as of <see cref="ModRevision"/>. Immutable; the value's memory must not be written to.</summary>
public sealed record StoreEntry(string Key, ReadOnlyMemory<byte> Value, long ModRevision, long CreateRevision, long Lease)
{
    /// <summary>The value was read well, but would be written otherwise now (an older encryption key); the next write mends it.</summary>
    public bool Stale { get; init; }

    /// <summary>Why the value cannot be decrypted; <see cref="Value"/> is then as stored. Null for every good entry.</summary>
    public string? Unreadable { get; init; }
}

/// <summary>A key's entry, or null, as of <paramref name="Revision"/>.</summary>
public readonly record struct StoreRead(StoreEntry? Entry, long Revision);

/// <summary>
/// Keys that begin with <see cref="Prefix"/>, beginning at <see cref="StartKey"/> (inclusive) when given; a next page starts at the last
/// key plus "\0". <see cref="Limit"/> 0 = all. <see cref="Revision"/> 0 = latest.
/// </summary>
public readonly record struct StoreListRequest(string Prefix)
{
    public string? StartKey { get; init; }

    public int Limit { get; init; }

    public long Revision { get; init; }

    public bool CountOnly { get; init; }

    /// <summary>Entries come with empty values.</summary>
    public bool KeysOnly { get; init; }
}

/// <summary>
/// One page in key order. <see cref="Count"/> is the number of keys from the page's start to the range's end, including those beyond the limit.
/// <see cref="Revision"/> is the revision listed (of the store's head when none was asked for).
/// </summary>
public sealed record StoreList(IReadOnlyList<StoreEntry> Entries, long Count, long Revision)
{
    public bool More => Count > Entries.Count;
}

/// <summary>
/// A conditional write's outcome. Succeeded: <see cref="Revision"/> is the write's. Not succeeded: nothing was changed, and
/// <see cref="Current"/> is what is there (null: no such key).
/// </summary>
public readonly record struct StoreWrite(bool Succeeded, long Revision, StoreEntry? Current);

public enum StoreEventType
{
    Put,
    Delete,
}

/// <summary>One change. For a delete, Entry has the key and the deletion's revision and no value. Previous may be missing when compacted away.</summary>
public sealed record StoreEvent(StoreEventType Type, StoreEntry Entry, StoreEntry? Previous)
{
    public bool IsCreate => Type == StoreEventType.Put && Entry.CreateRevision == Entry.ModRevision;
}

/// <summary>
/// Changes in order, never part of a revision. With it every watched change up to <paramref name="Revision"/> has been delivered; an empty
/// batch says only that the watch stands.
/// </summary>
public sealed record StoreWatchBatch(IReadOnlyList<StoreEvent> Events, long Revision);
