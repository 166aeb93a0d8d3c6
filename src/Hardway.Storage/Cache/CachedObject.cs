namespace Hardway.Storage.Cache;

/// <summary>An object as the cache keeps it: the bytes that are served, and what lists and watches select by. Immutable, shared by all readers.</summary>
public sealed class CachedObject
{
    private static readonly Dictionary<string, string> s_none = [];

    /// <summary>The key in the store, e.g. /registry/pods/default/web.</summary>
    public required string Key { get; init; }

    public required string Name { get; init; }

    public string Namespace { get; init; } = "";

    public required long ResourceVersion { get; init; }

    /// <summary>The object as served, in JSON with metadata.resourceVersion, without a line end.</summary>
    public required ReadOnlyMemory<byte> Json { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = s_none;

    /// <summary>What field selectors see beyond metadata.name and metadata.namespace.</summary>
    public IReadOnlyDictionary<string, string> Fields { get; init; } = s_none;

    /// <summary>A value that many watchers each select one of (a Pod's node): an event reaches only the watchers of its value.</summary>
    public string? Index { get; init; }

    /// <summary>Anything more that the decoder wants to keep with the object.</summary>
    public object? Tag { get; init; }

    /// <summary>Why the stored value cannot be read (wrong key, broken bytes); the object then has no bytes and its list fails. Null when good.</summary>
    public string? Error { get; init; }
}

/// <summary>Makes what is served from what is stored; given by the API server. Called by one thread at a time, must not block.</summary>
public interface IObjectDecoder
{
    /// <summary>Null for keys that are not objects of the API. An exception is kept as the object's error.</summary>
    CachedObject? Decode(StoreEntry entry);

    /// <summary>The last state of an object with the revision of its deletion in it.</summary>
    CachedObject Deleted(CachedObject last, long revision);
}
