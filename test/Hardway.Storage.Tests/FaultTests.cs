using System.Collections.Concurrent;
using System.Text;
using Hardway.Storage.Cache;
using Hardway.Storage.Etcd;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hardway.Storage.Tests;

/// <summary>Real etcd members killed, frozen and started again under a store and a cache.</summary>
public sealed class FaultTests : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private List<EtcdProcess> _etcd = [];
    private EtcdStore _store = null!;
    private WatchCache? _cache;
    private Task _running = Task.CompletedTask;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _cache?.Dispose();
        await _store.DisposeAsync();
        foreach (var etcd in _etcd)
        {
            await etcd.DisposeAsync();
        }

        _stop.Dispose();
    }

    [Fact]
    public async Task A_watcher_does_not_notice_that_etcd_was_restarted()
    {
        await StartAsync(1);
        var first = await PutAsync("a/1");
        using var watcher = _cache!.Watch(new CacheWatchRequest("/registry/things/") { FromRevision = first - 1 })!;
        Assert.Single(await WatchCacheTests.ReadAsync(watcher, 1));

        await _etcd[0].KillAsync();
        var e = await Assert.ThrowsAsync<StoreException>(() => PutAsync("a/2"));
        Assert.True(e.Error is StoreError.OutcomeUnknown or StoreError.Unavailable, e.Message);
        Assert.Equal(StoreError.Unavailable, (await Assert.ThrowsAsync<StoreException>(() => _cache.WaitUntilConsistentAsync(Stop))).Error);
        Assert.NotNull(_cache.Get("/registry/things/a/1"));

        _etcd[0].Start();
        await _etcd[0].WaitReadyAsync();
        var second = await PutAsync("a/2");
        Assert.Equal(second, Assert.Single(await WatchCacheTests.ReadAsync(watcher, 1)).Revision);
        Assert.True(await _cache.WaitUntilConsistentAsync(Stop) >= second);
    }

    [Fact]
    public async Task When_history_was_compacted_while_the_cache_was_away_it_loads_anew_and_ends_its_watchers()
    {
        await StartAsync(1);
        var first = await PutAsync("a/1");
        var second = await PutAsync("a/2");
        await _store.CompactAsync(second, Stop);
        await StopCacheAsync();
        var cutOff = new CompactedOnceStore(_store, first);
        _cache = new WatchCache(cutOff, new TextDecoder(), new WatchCacheOptions(), TimeProvider.System, NullLogger.Instance);
        _running = _cache.RunAsync(_stop.Token);
        Assert.True(await _cache.WaitUntilAsync(second, TimeSpan.FromSeconds(20), Stop));
        using var watcher = _cache.Watch(new CacheWatchRequest("/registry/things/") { FromRevision = second })!;
        var third = await PutAsync("a/3");

        cutOff.MayWatch.SetResult();
        await foreach (var e in watcher.ReadAllAsync(Stop))
        {
            Assert.Fail($"an event from a cache that was cut off: {e.Type} {e.Revision}");
        }

        Assert.Equal(CacheWatchEnd.CacheReset, watcher.End);
        await cutOff.Refused.WaitAsync(TimeSpan.FromSeconds(20), Stop);
        Assert.Equal(3, _cache.Snapshot("/registry/things/").Range("/registry/things/").Count());
        Assert.Null(_cache.Watch(new CacheWatchRequest("/registry/things/") { FromRevision = second }));
        Assert.NotNull(_cache.Watch(new CacheWatchRequest("/registry/things/") { FromRevision = third }));
    }

    [Fact]
    public async Task Losing_the_leader_loses_no_acknowledged_write_and_no_event()
    {
        await StartAsync(3);
        var first = await PutAsync("a/first");
        using var watcher = _cache!.Watch(new CacheWatchRequest("/registry/things/") { FromRevision = first })!;
        var acknowledged = new ConcurrentBag<string>();
        var killed = new TaskCompletionSource();
        var writers = Task.WhenAll(Enumerable.Range(0, 4).Select(async w =>
        {
            var after = 0;
            for (var i = 0; after < 20; i++)
            {
                try
                {
                    await PutAsync($"w{w}/{i}");
                    acknowledged.Add($"w{w}/{i}");
                    after += killed.Task.IsCompleted ? 1 : 0;
                }
                catch (StoreException e)
                {
                    Assert.True(e.Error is StoreError.OutcomeUnknown or StoreError.Unavailable, e.Message);
                }
            }
        }));
        var leader = await LeaderAsync();
        await leader.KillAsync();
        killed.SetResult();
        await writers;

        await _cache.WaitUntilConsistentAsync(Stop);
        var there = _cache.Snapshot("/registry/things/").Range("/registry/things/").Select(WatchCacheTests.NameOf).ToHashSet();
        Assert.Empty(acknowledged.Except(there));
        var seen = (await WatchCacheTests.ReadAsync(watcher, there.Count - 1)).Select(e => WatchCacheTests.NameOf(e.Object!));
        Assert.Equal(there.Where(n => n != "a/first").Order(), seen.Order());
    }

    [Fact]
    public async Task Without_quorum_requests_fail_within_their_limit_and_work_again_with_it()
    {
        await StartAsync(3);
        await PutAsync("a/1");
        await _etcd[1].KillAsync();
        await _etcd[2].KillAsync();

        var start = TimeProvider.System.GetTimestamp();
        var write = await Assert.ThrowsAsync<StoreException>(() => PutAsync("a/2"));
        Assert.True(write.Error is StoreError.OutcomeUnknown or StoreError.Unavailable, write.Message);
        Assert.Equal(StoreError.Unavailable, (await Assert.ThrowsAsync<StoreException>(() => _store.GetAsync("/registry/things/a/1", 0, Stop))).Error);
        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(20));

        _etcd[1].Start();
        await _etcd[1].WaitReadyAsync();
        var written = await PutAsync("a/3");
        Assert.True(await _cache!.WaitUntilConsistentAsync(Stop) >= written);
        Assert.NotNull(_cache.Get("/registry/things/a/3"));
    }

    [Fact]
    public async Task A_member_that_hangs_is_passed_by()
    {
        await StartAsync(3);
        var leader = await LeaderAsync();
        var follower = _etcd.First(e => e != leader);
        await follower.FreezeAsync();
        try
        {
            var written = 0;
            for (var i = 0; written < 10; i++)
            {
                try
                {
                    await PutAsync($"a/{i}");
                    written++;
                }
                catch (StoreException e)
                {
                    // One that was under way to the frozen member when it froze.
                    Assert.True(e.Error is StoreError.OutcomeUnknown or StoreError.Unavailable && i < 5, e.Message);
                }
            }

            await _cache!.WaitUntilAsync(await _store.CurrentRevisionAsync(Stop), TimeSpan.FromSeconds(30), Stop);
            Assert.True(_cache.Snapshot("/registry/things/").Range("/registry/things/a/").Count() >= 10);
        }
        finally
        {
            await follower.ThawAsync();
        }
    }

    [Fact]
    public async Task The_members_and_their_status_are_known()
    {
        await StartAsync(3);
        await _etcd[2].KillAsync();
        Assert.Equal(["m0", "m1", "m2"], (await _store.MembersAsync(Stop)).Select(m => m.Name).Order());
        var status = await _store.StatusAsync(TimeSpan.FromSeconds(5), Stop);
        Assert.Equal(3, status.Length);
        Assert.All(status.Take(2), s => Assert.StartsWith("3.", s.Version));
        Assert.NotEmpty(status[2].Errors);
    }

    private async Task StartAsync(int members)
    {
        _etcd = await EtcdProcess.StartClusterAsync(members);
        _store = new EtcdStore(new EtcdOptions { Endpoints = [.. _etcd.Select(e => e.Endpoint)], RequestTimeout = TimeSpan.FromSeconds(4), ReadTryTimeout = TimeSpan.FromSeconds(1) });
        _cache = new WatchCache(_store, new TextDecoder(), new WatchCacheOptions(), TimeProvider.System, NullLogger.Instance);
        _running = _cache.RunAsync(_stop.Token);
        Assert.True(await _cache.WaitUntilAsync(1, TimeSpan.FromSeconds(30), Stop));
    }

    private async Task StopCacheAsync()
    {
        _cache!.Dispose();
        await _running;
    }

    private async Task<long> PutAsync(string name)
    {
        var written = await _store.CreateAsync("/registry/things/" + name, Encoding.UTF8.GetBytes(name + "@-"), 0, Stop);
        Assert.True(written.Succeeded);
        return written.Revision;
    }

    private async Task<EtcdProcess> LeaderAsync()
    {
        var status = await _store.StatusAsync(TimeSpan.FromSeconds(10), Stop);
        var leader = status.First(s => s.MemberId == s.Leader && s.Leader != 0);
        return _etcd.Single(e => e.Endpoint == leader.Endpoint);
    }
}
