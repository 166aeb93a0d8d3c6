namespace Hardway.Storage.Cache;

public enum CacheEventType
{
    Added,
    Modified,
    Deleted,

    /// <summary>No object; says that everything up to the revision has been delivered.</summary>
    Bookmark,
}

/// <summary>One change, shared by all watchers: whoever encodes it first may leave the encoding in <see cref="Frame"/> for the others.</summary>
public sealed class CacheEvent
{
    public required CacheEventType Type { get; init; }

    public required long Revision { get; init; }

    /// <summary>The object after the change; for a deletion its last state with the deletion's revision. Null for a bookmark.</summary>
    public CachedObject? Object { get; init; }

    /// <summary>The object before the change, so that a selector can tell whether it came, stayed or went.</summary>
    public CachedObject? Previous { get; init; }

    /// <summary>For a bookmark: the initial state has been sent.</summary>
    public bool EndsInitialState { get; init; }

    /// <summary>Free for the readers; written by any of them, all writing the same.</summary>
    public object? Frame
    {
        get => Volatile.Read(ref field);
        set => Volatile.Write(ref field, value);
    }

    /// <summary>As <see cref="Frame"/>, in a second encoding.</summary>
    public object? OtherFrame
    {
        get => Volatile.Read(ref field);
        set => Volatile.Write(ref field, value);
    }

    internal long Timestamp { get; init; }
}
