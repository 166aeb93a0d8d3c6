namespace Hardway.Storage.Leases;

/// <summary>
/// Leases for short-lived objects (Events), shared by those written at about the same time: one lease serves a twentieth of its TTL,
/// a minute at most, and a bounded number of keys. It is granted for that much longer, so no key goes early. Thread-safe.
/// </summary>
public sealed class LeasePool(IStore store, TimeProvider time) : IDisposable
{
    private const int MaxKeys = 1000;
    private static readonly TimeSpan s_longestReuse = TimeSpan.FromSeconds(60);
    private readonly SemaphoreSlim _gate = new(1);
    private readonly Dictionary<long, Shared> _byTtl = [];

    /// <summary>A lease under which a key lives at least the TTL.</summary>
    public async Task<long> LeaseForAsync(TimeSpan ttl, CancellationToken cancellationToken)
    {
        var seconds = Math.Max(1, (long)Math.Ceiling(ttl.TotalSeconds));
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_byTtl.TryGetValue(seconds, out var shared) && shared.Keys < MaxKeys && time.GetElapsedTime(shared.Granted) < shared.Reuse)
            {
                shared.Keys++;
                return shared.Lease;
            }

            var reuse = TimeSpan.FromSeconds(Math.Min(seconds / 20, s_longestReuse.TotalSeconds));
            var granted = time.GetTimestamp();
            var lease = await store.GrantLeaseAsync(TimeSpan.FromSeconds(seconds) + reuse, cancellationToken).ConfigureAwait(false);
            _byTtl[seconds] = new Shared(lease, granted, reuse);
            return lease;
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    private sealed class Shared(long lease, long granted, TimeSpan reuse)
    {
        public long Lease { get; } = lease;

        public long Granted { get; } = granted;

        public TimeSpan Reuse { get; } = reuse;

        public int Keys { get; set; } = 1;
    }
}
