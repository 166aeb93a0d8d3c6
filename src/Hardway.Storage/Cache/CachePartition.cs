namespace Hardway.Storage.Cache;

/// <summary>The objects, recent events and watchers under one first path segment. Guarded by the cache's lock.</summary>
internal sealed class CachePartition(WatchCacheOptions options, KeySnapshot objects, long floor)
{
    private readonly List<CacheWatcher> _watchers = [];
    private readonly Dictionary<string, List<CacheWatcher>> _watchersByIndex = [];
    private readonly List<CacheWatcher> _slow = [];

    public KeySnapshot Objects { get; private set; } = objects;

    public EventRing Ring { get; } = new(options, floor);

    public int WatcherCount { get; private set; }

    /// <summary>The revision of the last change of an object here, or of the load.</summary>
    public long LastChange { get; private set; } = floor;

    public void Apply(CacheEvent e, TimeProvider time)
    {
        Objects = e.Type == CacheEventType.Deleted ? Objects.Without(e.Object!.Key) : Objects.With(e.Object!);
        LastChange = e.Revision;
        Ring.Add(e, time);
        Offer(_watchers, e);
        if (_watchersByIndex.Count > 0)
        {
            OfferByIndex(e);
        }

        foreach (var slow in _slow)
        {
            Remove(slow);
        }

        _slow.Clear();
    }

    public void Add(CacheWatcher watcher)
    {
        ListOf(watcher).Add(watcher);
        WatcherCount++;
    }

    public void Remove(CacheWatcher watcher)
    {
        var list = ListOf(watcher);
        if (list.Remove(watcher))
        {
            WatcherCount--;
        }

        if (list.Count == 0 && watcher.Request.Index is { } index)
        {
            _watchersByIndex.Remove(index);
        }
    }

    public void Bookmark(CacheEvent bookmark)
    {
        foreach (var watcher in All())
        {
            if (watcher.Request.Bookmarks)
            {
                watcher.OfferBookmark(bookmark);
            }
        }
    }

    public void CloseAll(CacheWatchEnd why)
    {
        foreach (var watcher in All())
        {
            watcher.Close(why);
        }

        _watchers.Clear();
        _watchersByIndex.Clear();
        WatcherCount = 0;
    }

    private IEnumerable<CacheWatcher> All() => _watchers.Concat(_watchersByIndex.Values.SelectMany(l => l));

    private void OfferByIndex(CacheEvent e)
    {
        var now = e.Object!.Index ?? "";
        var before = e.Previous?.Index ?? now;
        if (_watchersByIndex.TryGetValue(now, out var list))
        {
            Offer(list, e);
        }

        if (before != now && _watchersByIndex.TryGetValue(before, out list))
        {
            Offer(list, e);
        }
    }

    private void Offer(List<CacheWatcher> watchers, CacheEvent e)
    {
        foreach (var watcher in watchers)
        {
            if (e.Object!.Key.StartsWith(watcher.Request.Prefix, StringComparison.Ordinal) && !watcher.Offer(e))
            {
                _slow.Add(watcher);
            }
        }
    }

    private List<CacheWatcher> ListOf(CacheWatcher watcher)
    {
        if (watcher.Request.Index is not { } index)
        {
            return _watchers;
        }

        if (!_watchersByIndex.TryGetValue(index, out var list))
        {
            _watchersByIndex[index] = list = [];
        }

        return list;
    }
}
