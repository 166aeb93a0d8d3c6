using System.Diagnostics.CodeAnalysis;

namespace Hardway.Storage.Cache;

/// <summary>
/// The recent events of one partition, so that a watch can begin in the past. Bounded by number, bytes and age. Guarded by the cache's lock.
/// </summary>
[SuppressMessage("Naming", "CA1710", Justification = "A ring, not a general collection.")]
internal sealed class EventRing(WatchCacheOptions options, long floor)
{
    private readonly Queue<CacheEvent> _events = new();
    private long _bytes;

    /// <summary>Every event with a higher revision is here.</summary>
    public long Floor { get; private set; } = floor;

    public void Add(CacheEvent e, TimeProvider time)
    {
        _events.Enqueue(e);
        _bytes += Size(e);
        while (_events.Count > options.MaxEvents || (_bytes > options.MaxEventBytes && _events.Count > 1) || IsOld(_events.Peek(), time))
        {
            var dropped = _events.Dequeue();
            _bytes -= Size(dropped);
            Floor = dropped.Revision;
        }
    }

    /// <summary>The events after a revision that is not below the floor.</summary>
    public CacheEvent[] After(long revision) => [.. _events.Where(e => e.Revision > revision)];

    private static int Size(CacheEvent e) => 200 + e.Object!.Json.Length;

    private bool IsOld(CacheEvent oldest, TimeProvider time) =>
        _events.Count > options.MinEvents && time.GetElapsedTime(oldest.Timestamp) > options.EventRetention;
}
