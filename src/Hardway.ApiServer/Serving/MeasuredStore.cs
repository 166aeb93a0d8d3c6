using Hardway.Hosting;
using Hardway.Storage;

namespace Hardway.ApiServer.Serving;

/// <summary>A store whose calls are timed by operation and resource, under upstream's name. Owns the inner store.</summary>
internal sealed class MeasuredStore(IStore inner, Metrics metrics, TimeProvider time, Func<string, string> typeOf) : IStore
{
    private readonly Histogram _seconds = metrics.Histogram("etcd_request_duration_seconds", "How long a call to the store took, by operation and resource.", null, "operation", "type");
    private readonly Counter _errors = metrics.Counter("etcd_request_errors_total", "Calls to the store that failed, by operation and resource.", "operation", "type");

    public Task<StoreRead> GetAsync(string key, long revision, CancellationToken cancellationToken) => TimedAsync("get", key, inner.GetAsync(key, revision, cancellationToken));

    public Task<StoreList> ListAsync(StoreListRequest request, CancellationToken cancellationToken) => TimedAsync("list", request.Prefix, inner.ListAsync(request, cancellationToken));

    public Task<StoreWrite> CreateAsync(string key, ReadOnlyMemory<byte> value, long lease, CancellationToken cancellationToken) => TimedAsync("create", key, inner.CreateAsync(key, value, lease, cancellationToken));

    public Task<StoreWrite> UpdateAsync(string key, ReadOnlyMemory<byte> value, long expectedModRevision, long lease, CancellationToken cancellationToken) =>
        TimedAsync("update", key, inner.UpdateAsync(key, value, expectedModRevision, lease, cancellationToken));

    public Task<StoreWrite> DeleteAsync(string key, long expectedModRevision, CancellationToken cancellationToken) => TimedAsync("delete", key, inner.DeleteAsync(key, expectedModRevision, cancellationToken));

    public Task<long> CurrentRevisionAsync(CancellationToken cancellationToken) => inner.CurrentRevisionAsync(cancellationToken);

    public IAsyncEnumerable<StoreWatchBatch> WatchAsync(string prefix, long fromRevision, CancellationToken cancellationToken) => inner.WatchAsync(prefix, fromRevision, cancellationToken);

    public Task CompactAsync(long revision, CancellationToken cancellationToken) => inner.CompactAsync(revision, cancellationToken);

    public Task<long> GrantLeaseAsync(TimeSpan ttl, CancellationToken cancellationToken) => inner.GrantLeaseAsync(ttl, cancellationToken);

    public Task<bool> KeepLeaseAliveAsync(long lease, CancellationToken cancellationToken) => inner.KeepLeaseAliveAsync(lease, cancellationToken);

    public Task RevokeLeaseAsync(long lease, CancellationToken cancellationToken) => inner.RevokeLeaseAsync(lease, cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private async Task<T> TimedAsync<T>(string operation, string key, Task<T> call)
    {
        var started = time.GetTimestamp();
        try
        {
            return await call.ConfigureAwait(false);
        }
        catch (StoreException)
        {
            _errors.Inc(operation, typeOf(key));
            throw;
        }
        finally
        {
            _seconds.Observe(time.GetElapsedTime(started), operation, typeOf(key));
        }
    }
}
