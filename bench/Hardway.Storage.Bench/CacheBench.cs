using Hardway.Storage.Cache;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hardway.Storage.Bench;

/// <summary>The watch cache over etcd: events to 100 watchers, consistent reads, lists.</summary>
internal static class CacheBench
{
    private const int Watchers = 100;

    public static async Task RunAsync(EtcdServer etcd, TimeSpan length)
    {
        using var stop = new CancellationTokenSource();
        using var cache = new WatchCache(etcd.Store, new PlainDecoder(), new WatchCacheOptions(), TimeProvider.System, NullLogger.Instance);
        var running = cache.RunAsync(stop.Token);
        await cache.WaitUntilAsync(1, TimeSpan.FromMinutes(1), stop.Token).ConfigureAwait(false);
        await FanOutAsync(etcd, cache, length).ConfigureAwait(false);
        await ConsistentReadsAsync(cache, length).ConfigureAwait(false);
        Lists(cache, length);
        await stop.CancelAsync().ConfigureAwait(false);
        await running.ConfigureAwait(false);
    }

    private static async Task FanOutAsync(EtcdServer etcd, WatchCache cache, TimeSpan length)
    {
        var value = new byte[900];
        long delivered = 0;
        var from = cache.Revision;
        var watchers = Enumerable.Range(0, Watchers).Select(_ => cache.Watch(new CacheWatchRequest("/registry/fan/") { FromRevision = from })!).ToList();
        var readers = Task.WhenAll(watchers.Select(async w =>
        {
            await foreach (var e in w.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
            {
                Interlocked.Increment(ref delivered);
            }
        }));
        var (writes, start) = (0, TimeProvider.System.GetTimestamp());
        await Task.WhenAll(Enumerable.Range(0, 32).Select(async c =>
        {
            while (TimeProvider.System.GetElapsedTime(start) < length)
            {
                await etcd.Store.PutAsync($"/registry/fan/{c}", value, CancellationToken.None).ConfigureAwait(false);
                Interlocked.Increment(ref writes);
            }
        })).ConfigureAwait(false);
        await cache.WaitUntilConsistentAsync(CancellationToken.None).ConfigureAwait(false);
        var seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        watchers.ForEach(w => w.Dispose());
        await readers.ConfigureAwait(false);
        var slow = watchers.Count(w => w.End == CacheWatchEnd.TooSlow);
        Console.WriteLine($"watch fan-out    {delivered / seconds,10:N0} events/s to {Watchers} watchers from {writes / seconds:N0} writes/s, {slow} watchers cut off");
    }

    private static async Task ConsistentReadsAsync(WatchCache cache, TimeSpan length)
    {
        var (reads, start) = (0, TimeProvider.System.GetTimestamp());
        await Task.WhenAll(Enumerable.Range(0, 32).Select(async caller =>
        {
            while (TimeProvider.System.GetElapsedTime(start) < length)
            {
                await cache.WaitUntilConsistentAsync(CancellationToken.None).ConfigureAwait(false);
                _ = cache.Get($"/registry/fan/{caller}");
                Interlocked.Increment(ref reads);
            }
        })).ConfigureAwait(false);
        Console.WriteLine($"consistent get   {reads / TimeProvider.System.GetElapsedTime(start).TotalSeconds,10:N0} /s with 32 callers");
    }

    private static void Lists(WatchCache cache, TimeSpan length)
    {
        var (objects, start) = (0L, TimeProvider.System.GetTimestamp());
        while (TimeProvider.System.GetElapsedTime(start) < length)
        {
            objects += cache.Snapshot("/registry/created/").Range("/registry/created/").Sum(o => Math.Min(1, o.Json.Length));
        }

        Console.WriteLine($"list from cache  {objects / TimeProvider.System.GetElapsedTime(start).TotalSeconds,10:N0} objects/s by one caller");
    }

    private sealed class PlainDecoder : IObjectDecoder
    {
        public CachedObject? Decode(StoreEntry entry) => new() { Key = entry.Key, Name = entry.Key, ResourceVersion = entry.ModRevision, Json = entry.Value };

        public CachedObject Deleted(CachedObject last, long revision) => last;
    }
}
