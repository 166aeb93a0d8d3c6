namespace Hardway.Storage.Tests;

/// <summary>The real store, but its first watch stands and then says nothing (a member that hangs), and every later one takes a while to stand.</summary>
internal sealed class SilentOnceStore(IStore inner, TimeSpan delay) : IStore
{
    private readonly TaskCompletionSource _stands = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _watches;

    public Task Stands => _stands.Task;

    public int Watches => Volatile.Read(ref _watches);

    public Task<StoreRead> GetAsync(string key, long revision, CancellationToken cancellationToken) => inner.GetAsync(key, revision, cancellationToken);

    public Task<StoreList> ListAsync(StoreListRequest request, CancellationToken cancellationToken) => inner.ListAsync(request, cancellationToken);

    public Task<StoreWrite> CreateAsync(string key, ReadOnlyMemory<byte> value, long lease, CancellationToken cancellationToken) => inner.CreateAsync(key, value, lease, cancellationToken);

    public Task<StoreWrite> UpdateAsync(string key, ReadOnlyMemory<byte> value, long expectedModRevision, long lease, CancellationToken cancellationToken) => inner.UpdateAsync(key, value, expectedModRevision, lease, cancellationToken);

    public Task<StoreWrite> DeleteAsync(string key, long expectedModRevision, CancellationToken cancellationToken) => inner.DeleteAsync(key, expectedModRevision, cancellationToken);

    public Task<long> CurrentRevisionAsync(CancellationToken cancellationToken) => inner.CurrentRevisionAsync(cancellationToken);

    public async IAsyncEnumerable<StoreWatchBatch> WatchAsync(string prefix, long fromRevision, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _watches) == 1)
        {
            yield return new StoreWatchBatch([], fromRevision - 1);
            _stands.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        }

        await Task.Delay(delay, cancellationToken);
        await foreach (var batch in inner.WatchAsync(prefix, fromRevision, cancellationToken))
        {
            yield return batch;
        }
    }

    public Task CompactAsync(long revision, CancellationToken cancellationToken) => inner.CompactAsync(revision, cancellationToken);

    public Task<long> GrantLeaseAsync(TimeSpan ttl, CancellationToken cancellationToken) => inner.GrantLeaseAsync(ttl, cancellationToken);

    public Task<bool> KeepLeaseAliveAsync(long lease, CancellationToken cancellationToken) => inner.KeepLeaseAliveAsync(lease, cancellationToken);

    public Task RevokeLeaseAsync(long lease, CancellationToken cancellationToken) => inner.RevokeLeaseAsync(lease, cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
