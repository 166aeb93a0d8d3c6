namespace Hardway.Storage.Cache;

/// <summary>Bounds of a watch cache. A partition is the part of the store under one first path segment (/registry/pods/...).</summary>
public sealed record WatchCacheOptions
{
    /// <summary>What is cached; ends with a slash.</summary>
    public string Prefix { get; init; } = "/registry/";

    /// <summary>Keys fetched at once when the cache is loaded.</summary>
    public int PageSize { get; init; } = 1000;

    /// <summary>Recent events kept in a partition: at most so many,</summary>
    public int MaxEvents { get; init; } = 20_000;

    /// <summary>at most so many bytes of objects,</summary>
    public long MaxEventBytes { get; init; } = 8 << 20;

    /// <summary>and none older than this,</summary>
    public TimeSpan EventRetention { get; init; } = TimeSpan.FromSeconds(75);

    /// <summary>but so many at any age.</summary>
    public int MinEvents { get; init; } = 100;

    /// <summary>Events that may wait for a watcher before it is cut off.</summary>
    public int WatcherBuffer { get; init; } = 4096;

    public TimeSpan BookmarkInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a consistent read waits for the cache once the store's revision is known.</summary>
    public TimeSpan FreshnessLimit { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>The longest pause between two tries to reach the store.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(2);
}
