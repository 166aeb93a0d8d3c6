using System.Collections.Concurrent;
using Hardway.Storage;

namespace Hardway.ApiServer.Registry;

/// <summary>
/// Leases for objects that live for a time (Events). One lease serves many objects: those written within a few percent of its life share it,
/// so that they live a little longer rather than cost a lease each. Safe for all threads.
/// </summary>
internal sealed class LeasePool(IStore store, TimeProvider time) : IDisposable
{
    private const int MostObjects = 1000;
    private readonly ConcurrentDictionary<TimeSpan, Shared> _current = new();
    private readonly SemaphoreSlim _gate = new(1, 1);

    public async ValueTask<long> TakeAsync(TimeSpan life, CancellationToken cancellationToken)
    {
        var now = time.GetTimestamp();
        if (_current.TryGetValue(life, out var shared) && shared.Take(time, now))
        {
            return shared.Lease;
        }

        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_current.TryGetValue(life, out shared) && shared.Take(time, now))
            {
                return shared.Lease;
            }

            var slack = TimeSpan.FromSeconds(Math.Clamp(life.TotalSeconds * 0.05, 1, 60));
            var lease = await store.GrantLeaseAsync(life + slack, cancellationToken).ConfigureAwait(false);
            _current[life] = new Shared(lease, now, slack);
            return lease;
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    private sealed class Shared(long lease, long since, TimeSpan slack)
    {
        private int _objects = 1;

        public long Lease => lease;

        public bool Take(TimeProvider time, long now) => time.GetElapsedTime(since, now) < slack && Interlocked.Increment(ref _objects) <= MostObjects;
    }
}
