using System.Text;
using Hardway.Storage.Cache;
using Hardway.Storage.Embedded;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hardway.Storage.Tests;

public sealed class WatchCacheTests : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hardway-cache-").FullName;
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private EmbeddedStore _store = null!;
    private WatchCache _cache = null!;
    private Task _running = Task.CompletedTask;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _store = EmbeddedStore.Open(Path.Combine(_directory, "store.db"));
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _cache?.Dispose();
        await _store.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
        _stop.Dispose();
    }

    [Fact]
    public async Task What_was_there_and_what_came_later_is_listed_in_order_by_namespace()
    {
        await PutAsync("b/2");
        await PutAsync("a/1");
        await StartAsync(new WatchCacheOptions { PageSize = 1 });
        await PutAsync("b/1");
        var last = await PutAsync("c/1");
        Assert.Equal(last, await _cache.WaitUntilConsistentAsync(Stop));

        var snapshot = _cache.Snapshot("/registry/things/");
        Assert.Equal(["a/1", "b/1", "b/2", "c/1"], Names(snapshot.Range("/registry/things/")));
        Assert.Equal(["b/1", "b/2"], Names(snapshot.Range("/registry/things/b/")));
        Assert.Equal(["b/2", "c/1"], Names(snapshot.Range("/registry/things/", "/registry/things/b/1\0")));
        Assert.Equal(last, snapshot.Revision);
        Assert.Equal($"c/1={last}", Encoding.UTF8.GetString(_cache.Get("/registry/things/c/1")!.Json.Span));
        Assert.Empty(_cache.Snapshot("/registry/none/").Range("/registry/none/"));
    }

    [Fact]
    public async Task A_held_snapshot_does_not_change()
    {
        await PutAsync("a/1");
        await StartAsync();
        var before = _cache.Snapshot("/registry/things/");
        await PutAsync("a/2");
        await _store.DeleteAsync("/registry/things/a/1", 0, Stop);
        await _cache.WaitUntilConsistentAsync(Stop);
        Assert.Equal(["a/1"], Names(before.Range("/registry/things/")));
        Assert.Equal(["a/2"], Names(_cache.Snapshot("/registry/things/").Range("/registry/things/")));
    }

    [Fact]
    public async Task The_cache_is_current_also_when_only_other_keys_change()
    {
        await StartAsync();
        var elsewhere = await _store.CreateAsync("compact_rev_key", "1"u8.ToArray(), 0, Stop);
        Assert.Equal(elsewhere.Revision, await _cache.WaitUntilConsistentAsync(Stop));
        Assert.True(_cache.Revision >= elsewhere.Revision);
    }

    [Fact]
    public async Task A_watch_from_a_revision_shows_what_was_missed_then_what_happens()
    {
        await StartAsync();
        var first = await PutAsync("a/1");
        var second = await PutAsync("a/2");
        await _cache.WaitUntilConsistentAsync(Stop);
        using var watcher = _cache.Watch(new CacheWatchRequest("/registry/things/a/") { FromRevision = first })!;
        await PutAsync("b/1");
        var third = await PutAsync("a/1", first);
        var gone = await _store.DeleteAsync("/registry/things/a/2", 0, Stop);

        var events = await ReadAsync(watcher, 3);
        Assert.Equal([(CacheEventType.Added, second), (CacheEventType.Modified, third), (CacheEventType.Deleted, gone.Revision)], events.Select(e => (e.Type, e.Revision)));
        Assert.Equal(first, events[1].Previous!.ResourceVersion);
        Assert.Equal($"a/2={gone.Revision}", Encoding.UTF8.GetString(events[2].Object!.Json.Span));
        Assert.Equal(second, events[2].Previous!.ResourceVersion);
    }

    [Fact]
    public async Task An_initial_state_comes_first_and_its_end_is_marked()
    {
        await PutAsync("a/1");
        var last = await PutAsync("b/1");
        await StartAsync();
        using var watcher = _cache.Watch(new CacheWatchRequest("/registry/things/") { InitialState = true, InitialStateBookmark = true })!;
        var later = await PutAsync("c/1");

        var events = await ReadAsync(watcher, 4);
        Assert.Equal([CacheEventType.Added, CacheEventType.Added, CacheEventType.Bookmark, CacheEventType.Added], events.Select(e => e.Type));
        Assert.Equal((true, last), (events[2].EndsInitialState, events[2].Revision));
        Assert.Equal(later, events[3].Revision);
    }

    [Fact]
    public async Task A_watch_from_before_the_cache_began_is_refused()
    {
        var first = await PutAsync("a/1");
        await PutAsync("a/2");
        await StartAsync();
        Assert.Null(_cache.Watch(new CacheWatchRequest("/registry/things/") { FromRevision = first }));
    }

    [Fact]
    public async Task A_watch_from_before_the_kept_events_is_refused()
    {
        await StartAsync(new WatchCacheOptions { MaxEvents = 3 });
        var revisions = new List<long>();
        for (var i = 0; i < 5; i++)
        {
            revisions.Add(await PutAsync($"a/{i}"));
        }

        await _cache.WaitUntilConsistentAsync(Stop);
        Assert.Null(_cache.Watch(new CacheWatchRequest("/registry/things/") { FromRevision = revisions[0] }));
        using var watcher = _cache.Watch(new CacheWatchRequest("/registry/things/") { FromRevision = revisions[1] })!;
        Assert.Equal(revisions[2..], (await ReadAsync(watcher, 3)).Select(e => e.Revision));
    }

    [Fact]
    public async Task A_slow_watcher_is_cut_off_and_the_others_go_on()
    {
        await StartAsync(new WatchCacheOptions { WatcherBuffer = 4 });
        using var slow = _cache.Watch(new CacheWatchRequest("/registry/things/") { FromRevision = _cache.Revision })!;
        using var other = _cache.Watch(new CacheWatchRequest("/registry/things/") { FromRevision = _cache.Revision })!;
        for (var i = 0; i < 10; i++)
        {
            await PutAsync($"a/{i}");
            Assert.Single(await ReadAsync(other, 1));
        }

        var seen = new List<CacheEvent>();
        await foreach (var e in slow.ReadAllAsync(Stop))
        {
            seen.Add(e);
        }

        Assert.Equal((4, CacheWatchEnd.TooSlow), (seen.Count, slow.End));
        using var resumed = _cache.Watch(new CacheWatchRequest("/registry/things/") { FromRevision = seen[^1].Revision })!;
        Assert.Equal("a/4", NameOf((await ReadAsync(resumed, 1))[0].Object!));
        Assert.Equal(2, _cache.WatcherCount);
    }

    [Fact]
    public async Task Watchers_of_an_index_see_what_comes_into_it_changes_in_it_and_leaves_it()
    {
        await StartAsync();
        var start = _cache.Revision;
        using var one = _cache.Watch(new CacheWatchRequest("/registry/things/") { FromRevision = start, Index = "node-1" })!;
        using var two = _cache.Watch(new CacheWatchRequest("/registry/things/") { FromRevision = start, Index = "node-2" })!;
        var created = await PutAsync("a/1", 0, "");
        var bound = await PutAsync("a/1", created, "node-1");
        var moved = await PutAsync("a/1", bound, "node-2");
        await PutAsync("a/2", 0, "node-3");
        await _cache.WaitUntilConsistentAsync(Stop);

        Assert.Equal([bound, moved], (await ReadAsync(one, 2)).Select(e => e.Revision));
        Assert.Equal([moved], (await ReadAsync(two, 1)).Select(e => e.Revision));
        Assert.False(one.TryRead(out _) || two.TryRead(out _));
        using var late = _cache.Watch(new CacheWatchRequest("/registry/things/") { FromRevision = start, Index = "node-1" })!;
        Assert.Equal([bound, moved], (await ReadAsync(late, 2)).Select(e => e.Revision));
    }

    [Fact]
    public async Task Bookmarks_come_to_those_who_asked_and_follow_all_events_up_to_them()
    {
        await StartAsync(new WatchCacheOptions { BookmarkInterval = TimeSpan.FromMilliseconds(50) });
        using var asked = _cache.Watch(new CacheWatchRequest("/registry/things/") { FromRevision = _cache.Revision, Bookmarks = true })!;
        using var not = _cache.Watch(new CacheWatchRequest("/registry/things/") { FromRevision = _cache.Revision })!;
        var elsewhere = await _store.CreateAsync("/registry/others/x", "x=x"u8.ToArray(), 0, Stop);

        await foreach (var e in asked.ReadAllAsync(Stop))
        {
            Assert.Equal(CacheEventType.Bookmark, e.Type);
            if (e.Revision >= elsewhere.Revision)
            {
                break;
            }
        }

        Assert.False(not.TryRead(out _));
    }

    [Fact]
    public async Task Waiting_for_a_revision_ends_when_it_comes_or_when_the_time_is_over()
    {
        await StartAsync();
        var waiting = _cache.WaitUntilAsync(_cache.Revision + 1, TimeSpan.FromSeconds(30), Stop);
        Assert.False(waiting.IsCompleted);
        await PutAsync("a/1");
        Assert.True(await waiting);
        Assert.False(await _cache.WaitUntilAsync(_cache.Revision + 1000, TimeSpan.FromMilliseconds(20), Stop));
    }

    [Fact]
    public async Task A_watch_that_fell_silent_is_replaced_however_many_readers_wait()
    {
        var silent = new SilentOnceStore(_store, TimeSpan.FromMilliseconds(300));
        _cache = new WatchCache(silent, new TextDecoder(), new WatchCacheOptions { FreshnessLimit = TimeSpan.FromMilliseconds(200) }, TimeProvider.System, NullLogger.Instance);
        _running = _cache.RunAsync(_stop.Token);
        await silent.Stands.WaitAsync(TimeSpan.FromSeconds(30), Stop);
        var written = await PutAsync("a/1");

        // One or two readers a millisecond find that their time is over, and the new watch needs longer than that to stand.
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        enough.CancelAfter(TimeSpan.FromSeconds(30));
        await Task.WhenAll(Enumerable.Range(0, 300).Select(async _ =>
        {
            while (true)
            {
                try
                {
                    Assert.True(await _cache.WaitUntilConsistentAsync(enough.Token) >= written);
                    return;
                }
                catch (StoreException e) when (e.Error == StoreError.Unavailable)
                {
                    Assert.True(_cache.Revision < written);
                }
            }
        }));
        Assert.InRange(silent.Watches, 2, 4);
    }

    [Fact]
    public async Task A_value_that_cannot_be_decoded_stands_as_an_error_beside_the_others()
    {
        await _store.CreateAsync("/registry/things/a/bad", "!"u8.ToArray(), 0, Stop);
        await PutAsync("a/good");
        await StartAsync();
        Assert.Equal("broken", _cache.Get("/registry/things/a/bad")!.Error);
        Assert.Null(_cache.Get("/registry/things/a/good")!.Error);
    }

    [Fact]
    public async Task Stopping_ends_the_watchers()
    {
        await StartAsync();
        using var watcher = _cache.Watch(new CacheWatchRequest("/registry/things/") { FromRevision = _cache.Revision })!;
        await _stop.CancelAsync();
        await foreach (var e in watcher.ReadAllAsync(Stop))
        {
            Assert.Fail($"an event after the end: {e.Type}");
        }

        Assert.Equal(CacheWatchEnd.Stopped, watcher.End);
    }

    internal static string NameOf(CachedObject o) => o.Key["/registry/things/".Length..];

    internal static async Task<List<CacheEvent>> ReadAsync(CacheWatcher watcher, int count)
    {
        var events = new List<CacheEvent>();
        while (events.Count < count)
        {
            if (watcher.TryRead(out var e))
            {
                events.Add(e);
            }
            else
            {
                Assert.True(await watcher.WaitToReadAsync(Stop), $"the watch ended ({watcher.End}) after {events.Count} of {count} events");
            }
        }

        return events;
    }

    private static IEnumerable<string> Names(IEnumerable<CachedObject> objects) => objects.Select(NameOf);

    private async Task<long> PutAsync(string name, long expected = 0, string index = "-")
    {
        var written = await _store.UpdateAsync("/registry/things/" + name, Encoding.UTF8.GetBytes($"{name}@{index}"), expected, 0, Stop);
        Assert.True(written.Succeeded);
        return written.Revision;
    }

    private async Task StartAsync(WatchCacheOptions? options = null)
    {
        _cache = new WatchCache(_store, new TextDecoder(), options ?? new WatchCacheOptions(), TimeProvider.System, NullLogger.Instance);
        _running = _cache.RunAsync(_stop.Token);
        Assert.True(await _cache.WaitUntilAsync(1, TimeSpan.FromSeconds(30), Stop));
    }
}

/// <summary>Objects whose stored value is NAME@INDEX and whose served bytes are NAME=REVISION.</summary>
internal sealed class TextDecoder : IObjectDecoder
{
    public CachedObject? Decode(StoreEntry entry)
    {
        var text = Encoding.UTF8.GetString(entry.Value.Span);
        return text == "!" ? throw new FormatException("broken") : Make(entry.Key, text.Split('@')[0], text.Split('@')[^1], entry.ModRevision);
    }

    public CachedObject Deleted(CachedObject last, long revision) => Make(last.Key, last.Name, last.Index!, revision);

    private static CachedObject Make(string key, string name, string index, long revision) =>
        new() { Key = key, Name = name, Index = index, ResourceVersion = revision, Json = Encoding.UTF8.GetBytes($"{name}={revision}") };
}
