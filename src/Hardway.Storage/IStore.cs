namespace Hardway.Storage;

/// <summary>
/// The narrow waist between the API server and what keeps its bytes: an ordered map with one revision counter for all keys, where
/// every change has a revision of its own and history is kept until compacted. Two implementations (etcd, embedded), one contract
/// suite. Thread-safe. A result that is to be expected is a value; <see cref="StoreException"/> is for the rest.
/// Keys compare as their UTF-8 bytes do; a fresh store's revision is 1.
/// </summary>
public interface IStore : IAsyncDisposable
{
    /// <summary>Linearizable unless an older revision is asked for (0 = latest).</summary>
    Task<StoreRead> GetAsync(string key, long revision, CancellationToken cancellationToken);

    /// <summary>Linearizable unless an older revision is asked for. Throws Compacted or FutureRevision for those.</summary>
    Task<StoreList> ListAsync(StoreListRequest request, CancellationToken cancellationToken);

    /// <summary>Writes if there is no such key.</summary>
    Task<StoreWrite> CreateAsync(string key, ReadOnlyMemory<byte> value, long lease, CancellationToken cancellationToken);

    /// <summary>Writes if the key's mod revision is still the expected one (0 = there is no such key).</summary>
    Task<StoreWrite> UpdateAsync(string key, ReadOnlyMemory<byte> value, long expectedModRevision, long lease, CancellationToken cancellationToken);

    /// <summary>Deletes if the key's mod revision is still the expected one (0 = whatever it is, but it must be there).</summary>
    Task<StoreWrite> DeleteAsync(string key, long expectedModRevision, CancellationToken cancellationToken);

    /// <summary>A revision that includes every write acknowledged to anybody before this call (a linearizable read).</summary>
    Task<long> CurrentRevisionAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Every change with revision >= <paramref name="fromRevision"/> of the keys that begin with <paramref name="prefix"/> ("" = all keys),
    /// in order, changes of one revision together. The first batch comes once the watch stands and may be empty.
    /// Ends by cancellation, or throws: Compacted when history is missing, Unavailable when the connection was lost.
    /// </summary>
    IAsyncEnumerable<StoreWatchBatch> WatchAsync(string prefix, long fromRevision, CancellationToken cancellationToken);

    /// <summary>Forgets history older than the revision. Compacting what is compacted already is no error.</summary>
    Task CompactAsync(long revision, CancellationToken cancellationToken);

    /// <summary>A new lease; keys written with it go when it ends. The TTL is in whole seconds, at least one.</summary>
    Task<long> GrantLeaseAsync(TimeSpan ttl, CancellationToken cancellationToken);

    /// <summary>Starts the lease's time again. False when it has ended.</summary>
    Task<bool> KeepLeaseAliveAsync(long lease, CancellationToken cancellationToken);

    /// <summary>Ends a lease now, its keys with it. A lease that has ended already is no error.</summary>
    Task RevokeLeaseAsync(long lease, CancellationToken cancellationToken);
}
