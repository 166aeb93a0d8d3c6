using Microsoft.Extensions.Logging;

namespace Hardway.Storage.Cache;

/// <summary>
/// Everything under one prefix of the store, as served, kept current by one watch; see docs "Bytes once" and "One watch on etcd".
/// <para>
/// The watch is on all keys of the store, not only on the prefix: every revision then arrives as an event, so the cache knows that it
/// is current without progress notifications (which etcd 3.4 does not order with events) and without writing.
/// </para>
/// <para>
/// Threads: one writer (<see cref="RunAsync"/>) decodes outside the lock and applies under it; readers take the lock only to pick up a
/// snapshot or to join as a watcher. A lost connection resumes after the last revision; where history is gone the cache loads anew and
/// closes its watchers, whose clients list again.
/// </para>
/// </summary>
public sealed partial class WatchCache : IDisposable
{
    private readonly IStore _store;
    private readonly IObjectDecoder _decoder;
    private readonly WatchCacheOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SharedProbe _probe;
    private readonly RevisionWaiters _waiters = new();
    private readonly CancellationTokenSource _stopped = new();
    private readonly Lock _gate = new();
    private Dictionary<string, CachePartition> _partitions = [];
    private long _revision;
    private long _loadedAt;
    private volatile StandingWatch? _watch;

    public WatchCache(IStore store, IObjectDecoder decoder, WatchCacheOptions options, TimeProvider time, ILogger logger)
    {
        _store = store;
        _decoder = decoder;
        _options = options;
        _time = time;
        _logger = logger;
        _probe = new SharedProbe(() => _store.CurrentRevisionAsync(_stopped.Token));
    }

    /// <summary>The last revision seen; 0 until loaded.</summary>
    public long Revision => Volatile.Read(ref _revision);

    public bool IsLoaded => Revision > 0;

    public int WatcherCount
    {
        get
        {
            lock (_gate)
            {
                return _partitions.Values.Sum(p => p.WatcherCount);
            }
        }
    }

    /// <summary>Loads and follows the store until stopped. Everything but cancellation is survived.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopped.Token);
        try
        {
            await Task.WhenAll(FollowForeverAsync(both.Token), BookmarkForeverAsync(both.Token)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (both.IsCancellationRequested)
        {
            // Asked to stop.
        }
        finally
        {
            StopWatchers();
        }
    }

    /// <summary>True once the cache has seen the revision (1 waits for the load); false when it did not within the limit.</summary>
    public Task<bool> WaitUntilAsync(long revision, TimeSpan limit, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return _revision >= revision && _revision > 0
                ? Task.FromResult(true)
                : _waiters.WaitAsync(Math.Max(1, revision), limit, _time, cancellationToken);
        }
    }

    /// <summary>
    /// Makes sure that the cache has everything acknowledged to anybody before this call. Throws <see cref="StoreException"/> Unavailable when
    /// the store cannot be asked or the cache does not catch up.
    /// </summary>
    public async Task<long> WaitUntilConsistentAsync(CancellationToken cancellationToken)
    {
        var revision = await _probe.AskAsync(cancellationToken).ConfigureAwait(false);
        if (!await WaitUntilAsync(revision, _options.FreshnessLimit, cancellationToken).ConfigureAwait(false))
        {
            RestartSilentWatch();
            throw new StoreException(StoreError.Unavailable, $"the watch cache is at revision {Revision} and did not reach the store's {revision} within {_options.FreshnessLimit.TotalSeconds} s");
        }

        return revision;
    }

    /// <summary>The present state of the partition that the prefix (or key) lies in.</summary>
    public CacheSnapshot Snapshot(string prefix)
    {
        var name = PartitionName(prefix);
        lock (_gate)
        {
            return _partitions.TryGetValue(name, out var partition)
                ? new CacheSnapshot(partition.Objects, _revision, partition.LastChange)
                : new CacheSnapshot(KeySnapshot.Empty, _revision, 0);
        }
    }

    public CachedObject? Get(string key) => Snapshot(key).Find(key);

    /// <summary>Joins as a watcher; null when the events after the revision are no longer known (410: list again).</summary>
    public CacheWatcher? Watch(CacheWatchRequest request)
    {
        var name = PartitionName(request.Prefix);
        lock (_gate)
        {
            if (_stopped.IsCancellationRequested || _revision == 0)
            {
                return null;
            }

            if (!_partitions.TryGetValue(name, out var partition))
            {
                _partitions[name] = partition = new CachePartition(_options, KeySnapshot.Empty, _loadedAt);
            }

            if (!request.InitialState && request.FromRevision < partition.Ring.Floor)
            {
                return null;
            }

            if (request.InitialState)
            {
                request = request with { FromRevision = _revision };
            }

            var first = request.InitialState ? InitialState(partition.Objects, request, _revision) : Missed(partition.Ring.After(request.FromRevision), request);
            var watcher = new CacheWatcher(request, first, _revision, _options.WatcherBuffer, Unregister);
            partition.Add(watcher);
            return watcher;
        }
    }

    /// <summary>Sends the watcher a bookmark now (before its time is over, say).</summary>
    public void Bookmark(CacheWatcher watcher)
    {
        ArgumentNullException.ThrowIfNull(watcher);
        lock (_gate)
        {
            watcher.OfferBookmark(NewBookmark(_revision));
        }
    }

    public void Dispose()
    {
        _stopped.Cancel();
        StopWatchers();
    }

    private static IEnumerable<CacheEvent> InitialState(KeySnapshot objects, CacheWatchRequest request, long revision)
    {
        foreach (var o in objects.Range(request.Prefix, null))
        {
            if (request.Index is null || request.Index == o.Index)
            {
                yield return new CacheEvent { Type = CacheEventType.Added, Object = o, Revision = o.ResourceVersion };
            }
        }

        if (request.InitialStateBookmark)
        {
            yield return NewBookmark(revision, endsInitialState: true);
        }
    }

    private static IEnumerable<CacheEvent> Missed(CacheEvent[] events, CacheWatchRequest request) =>
        events.Where(e => e.Object!.Key.StartsWith(request.Prefix, StringComparison.Ordinal)
            && (request.Index is null || request.Index == (e.Object.Index ?? "") || (e.Previous is not null && request.Index == (e.Previous.Index ?? ""))));

    private static CacheEvent NewBookmark(long revision, bool endsInitialState = false) =>
        new() { Type = CacheEventType.Bookmark, Revision = revision, EndsInitialState = endsInitialState };

    private async Task FollowForeverAsync(CancellationToken cancellationToken)
    {
        var delay = TimeSpan.Zero;
        while (true)
        {
            var before = Revision;
            try
            {
                await LoadIfNeededAsync(cancellationToken).ConfigureAwait(false);
                await FollowAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (StoreException e) when (e.Error == StoreError.Compacted)
            {
                Forget(e.Message);
            }
            catch (StoreException e)
            {
                LogInterrupted(Revision, e.Message);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                LogInterrupted(Revision, "it fell behind the store");
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // Whatever it was: a cache that nobody feeds any more would answer 503 until the next start.
                LogInterrupted(Revision, e.ToString());
            }

            // At once after something went well, then slower and slower.
            delay = Revision > before ? TimeSpan.FromMilliseconds(20) : TimeSpan.FromMilliseconds(Math.Clamp(delay.TotalMilliseconds * 2, 50, _options.MaxRetryDelay.TotalMilliseconds));
            await Task.Delay(delay, _time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task LoadIfNeededAsync(CancellationToken cancellationToken)
    {
        if (_loadedAt > 0)
        {
            // A store that was put back to an older state would let us wait for a future that has another content.
            var now = await _store.CurrentRevisionAsync(cancellationToken).ConfigureAwait(false);
            if (now >= Revision)
            {
                return;
            }

            Forget($"the store went back from revision {Revision} to {now}");
        }

        var objects = new Dictionary<string, List<CachedObject>>(StringComparer.Ordinal);
        var (revision, count) = (0L, 0);
        string? start = null;
        while (true)
        {
            var page = await _store.ListAsync(new StoreListRequest(_options.Prefix) { StartKey = start, Limit = _options.PageSize, Revision = revision }, cancellationToken).ConfigureAwait(false);
            revision = page.Revision;
            foreach (var entry in page.Entries)
            {
                if (Decode(entry) is { } o)
                {
                    var name = PartitionName(o.Key);
                    (objects.TryGetValue(name, out var list) ? list : objects[name] = []).Add(o);
                    count++;
                }
            }

            if (!page.More)
            {
                break;
            }

            start = page.Entries[^1].Key + "\0";
        }

        var partitions = objects.ToDictionary(p => p.Key, p => new CachePartition(_options, KeySnapshot.FromSorted(Sorted(p.Value)), revision), StringComparer.Ordinal);
        lock (_gate)
        {
            CloseWatchers(CacheWatchEnd.CacheReset);
            _partitions = partitions;
            _loadedAt = revision;
            Advance(revision);
        }

        LogLoaded(count, revision);
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            await foreach (var batch in _store.WatchAsync("", Revision + 1, cancel.Token).ConfigureAwait(false))
            {
                // The first batch says that the watch stands: only from then on can it be called silent.
                _watch = new StandingWatch(cancel, _time.GetTimestamp());
                Apply(batch);
            }
        }
        finally
        {
            _watch = null;
        }
    }

    private void Apply(StoreWatchBatch batch)
    {
        // This thread is the only writer of objects, so what it decodes outside the lock is still true under it.
        var changes = new List<(string Partition, CacheEvent Event)>(batch.Events.Count);
        var inBatch = new Dictionary<string, CachedObject?>(StringComparer.Ordinal);
        foreach (var e in batch.Events)
        {
            if (e.Entry.ModRevision > _revision && e.Entry.Key.StartsWith(_options.Prefix, StringComparison.Ordinal) && ToEvent(e, inBatch) is { } change)
            {
                changes.Add((PartitionName(e.Entry.Key), change));
            }
        }

        lock (_gate)
        {
            foreach (var (name, change) in changes)
            {
                if (!_partitions.TryGetValue(name, out var partition))
                {
                    _partitions[name] = partition = new CachePartition(_options, KeySnapshot.Empty, _loadedAt);
                }

                partition.Apply(change, _time);
            }

            if (batch.Revision > _revision)
            {
                Advance(batch.Revision);
            }
        }
    }

    private CacheEvent? ToEvent(StoreEvent e, Dictionary<string, CachedObject?> inBatch)
    {
        var key = e.Entry.Key;
        if (!inBatch.TryGetValue(key, out var previous))
        {
            previous = Get(key);
        }

        var now = e.Type == StoreEventType.Put ? Decode(e.Entry) : null;
        inBatch[key] = now;
        var revision = e.Entry.ModRevision;
        var stamp = _time.GetTimestamp();
        return (now, previous) switch
        {
            (null, null) => null,
            (null, _) => new CacheEvent { Type = CacheEventType.Deleted, Revision = revision, Object = Deleted(previous, revision), Previous = previous, Timestamp = stamp },
            (_, null) => new CacheEvent { Type = CacheEventType.Added, Revision = revision, Object = now, Timestamp = stamp },
            _ => new CacheEvent { Type = CacheEventType.Modified, Revision = revision, Object = now, Previous = previous, Timestamp = stamp },
        };
    }

    private CachedObject? Decode(StoreEntry entry)
    {
        try
        {
            return entry.Unreadable is { } reason ? Unreadable(entry, reason) : _decoder.Decode(entry);
        }
        catch (Exception e)
        {
            // Bad bytes in the store are one object's misfortune, not the cache's.
            return Unreadable(entry, e.Message);
        }
    }

    private CachedObject Unreadable(StoreEntry entry, string reason)
    {
        LogUnreadable(entry.Key, reason);
        return new CachedObject { Key = entry.Key, Name = entry.Key[(entry.Key.LastIndexOf('/') + 1)..], ResourceVersion = entry.ModRevision, Json = default, Error = reason };
    }

    private CachedObject Deleted(CachedObject last, long revision) =>
        last.Error is null ? _decoder.Deleted(last, revision) : last;

    private async Task BookmarkForeverAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(_options.BookmarkInterval, _time);
        while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
        {
            lock (_gate)
            {
                if (_revision == 0)
                {
                    continue;
                }

                var bookmark = NewBookmark(_revision);
                foreach (var partition in _partitions.Values)
                {
                    partition.Bookmark(bookmark);
                }
            }
        }
    }

    private void Forget(string reason)
    {
        LogReset(reason);
        lock (_gate)
        {
            CloseWatchers(CacheWatchEnd.CacheReset);
            _loadedAt = 0;
        }
    }

    private void Advance(long revision)
    {
        Volatile.Write(ref _revision, revision);
        _waiters.Release(revision);
    }

    /// <summary>
    /// Ends a watch that has stood for long without saying anything, though the store has moved on. One that was made, or spoke, a moment ago is left
    /// alone: with many readers waiting there is always one whose time is over, and a new watch would never live to its first event.
    /// </summary>
    private void RestartSilentWatch()
    {
        if (_watch is not { } watch || _time.GetElapsedTime(watch.LastHeard) < _options.FreshnessLimit)
        {
            return;
        }

        try
        {
            watch.Cancel.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It ended meanwhile, which is what was wanted.
        }
    }

    private void StopWatchers()
    {
        lock (_gate)
        {
            CloseWatchers(CacheWatchEnd.Stopped);
        }
    }

    private void CloseWatchers(CacheWatchEnd why)
    {
        foreach (var partition in _partitions.Values)
        {
            partition.CloseAll(why);
        }
    }

    private void Unregister(CacheWatcher watcher)
    {
        lock (_gate)
        {
            if (_partitions.TryGetValue(PartitionName(watcher.Request.Prefix), out var partition))
            {
                partition.Remove(watcher);
            }
        }

        LogWatcherEnded(watcher.Request.Prefix, watcher.End);
    }

    private string PartitionName(string key)
    {
        if (!key.StartsWith(_options.Prefix, StringComparison.Ordinal))
        {
            throw new ArgumentException($"key \"{key}\" is not under {_options.Prefix}", nameof(key));
        }

        var end = key.IndexOf('/', _options.Prefix.Length);
        return end < 0 ? key[_options.Prefix.Length..] : key[_options.Prefix.Length..end];
    }

    private static List<CachedObject> Sorted(List<CachedObject> objects)
    {
        // Keys came in the order of their bytes; they are kept in the order of their characters, the same but for rare characters.
        objects.Sort((a, b) => string.CompareOrdinal(a.Key, b.Key));
        return objects;
    }

    private sealed record StandingWatch(CancellationTokenSource Cancel, long LastHeard);
}
