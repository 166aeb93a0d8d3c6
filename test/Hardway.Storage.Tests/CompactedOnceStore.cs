namespace Hardway.Storage.Tests;

/// <summary>
/// Gives the cache the real store, but lets its first watch begin at a revision that the real store has compacted: the state of a
/// cache that was cut off for long. Only the starting point is ours; the refusal is the store's own.
/// </summary>
internal sealed class CompactedOnceStore(IStore inner, long firstWatchFrom) : IStore
{
    private readonly TaskCompletionSource _refused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _watches;

    /// <summary>The first watch waits for this.</summary>
    public TaskCompletionSource MayWatch { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when a watch that began after the refusal stands.</summary>
    public Task Refused => _refused.Task;

    public Task<StoreRead> GetAsync(string key, long revision, CancellationToken cancellationToken) => inner.GetAsync(key, revision, cancellationToken);

    public Task<StoreList> ListAsync(StoreListRequest request, CancellationToken cancellationToken) => inner.ListAsync(request, cancellationToken);

    public Task<StoreWrite> CreateAsync(string key, ReadOnlyMemory<byte> value, long lease, CancellationToken cancellationToken) => inner.CreateAsync(key, value, lease, cancellationToken);

    public Task<StoreWrite> UpdateAsync(string key, ReadOnlyMemory<byte> value, long expectedModRevision, long lease, CancellationToken cancellationToken) => inner.UpdateAsync(key, value, expectedModRevision, lease, cancellationToken);

    public Task<StoreWrite> DeleteAsync(string key, long expectedModRevision, CancellationToken cancellationToken) => inner.DeleteAsync(key, expectedModRevision, cancellationToken);

    public Task<long> CurrentRevisionAsync(CancellationToken cancellationToken) => inner.CurrentRevisionAsync(cancellationToken);

    public async IAsyncEnumerable<StoreWatchBatch> WatchAsync(string prefix, long fromRevision, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var watch = Interlocked.Increment(ref _watches);
        await MayWatch.Task.WaitAsync(cancellationToken);
        await foreach (var batch in inner.WatchAsync(prefix, watch == 1 ? firstWatchFrom : fromRevision, cancellationToken))
        {
            if (watch > 1)
            {
                _refused.TrySetResult();
            }

            yield return batch;
        }
    }

    public Task CompactAsync(long revision, CancellationToken cancellationToken) => inner.CompactAsync(revision, cancellationToken);

    public Task<long> GrantLeaseAsync(TimeSpan ttl, CancellationToken cancellationToken) => inner.GrantLeaseAsync(ttl, cancellationToken);

    public Task<bool> KeepLeaseAliveAsync(long lease, CancellationToken cancellationToken) => inner.KeepLeaseAliveAsync(lease, cancellationToken);

    public Task RevokeLeaseAsync(long lease, CancellationToken cancellationToken) => inner.RevokeLeaseAsync(lease, cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
