using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Hardway.Storage.Encryption;

/// <summary>
/// A store whose values are transformed on their way in and out, by the resource that a key belongs to. What cannot be opened comes out
/// with <see cref="StoreEntry.Unreadable"/> set, so that one bad value does not hide the others. Owns the inner store. The model can be
/// exchanged while in use (a reloaded configuration).
/// </summary>
public sealed class TransformingStore(IStore inner, EncryptionModel model, Func<string, (string Group, string Resource)?> resourceOf) : IStore
{
    private volatile Compiled _compiled = new(model);

    public void Use(EncryptionModel replacement) => _compiled = new Compiled(replacement);

    public async Task<StoreRead> GetAsync(string key, long revision, CancellationToken cancellationToken)
    {
        var read = await inner.GetAsync(key, revision, cancellationToken).ConfigureAwait(false);
        return read with { Entry = Out(read.Entry) };
    }

    public async Task<StoreList> ListAsync(StoreListRequest request, CancellationToken cancellationToken)
    {
        var list = await inner.ListAsync(request, cancellationToken).ConfigureAwait(false);
        return request.KeysOnly || request.CountOnly ? list : list with { Entries = [.. list.Entries.Select(e => Out(e)!)] };
    }

    public async Task<StoreWrite> CreateAsync(string key, ReadOnlyMemory<byte> value, long lease, CancellationToken cancellationToken) =>
        Out(await inner.CreateAsync(key, For(key).ToStorage(value, key), lease, cancellationToken).ConfigureAwait(false));

    public async Task<StoreWrite> UpdateAsync(string key, ReadOnlyMemory<byte> value, long expectedModRevision, long lease, CancellationToken cancellationToken) =>
        Out(await inner.UpdateAsync(key, For(key).ToStorage(value, key), expectedModRevision, lease, cancellationToken).ConfigureAwait(false));

    public async Task<StoreWrite> DeleteAsync(string key, long expectedModRevision, CancellationToken cancellationToken) =>
        Out(await inner.DeleteAsync(key, expectedModRevision, cancellationToken).ConfigureAwait(false));

    public Task<long> CurrentRevisionAsync(CancellationToken cancellationToken) => inner.CurrentRevisionAsync(cancellationToken);

    public async IAsyncEnumerable<StoreWatchBatch> WatchAsync(string prefix, long fromRevision, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var batch in inner.WatchAsync(prefix, fromRevision, cancellationToken).ConfigureAwait(false))
        {
            yield return batch.Events.Count == 0 ? batch : batch with { Events = [.. batch.Events.Select(Out)] };
        }
    }

    public Task CompactAsync(long revision, CancellationToken cancellationToken) => inner.CompactAsync(revision, cancellationToken);

    public Task<long> GrantLeaseAsync(TimeSpan ttl, CancellationToken cancellationToken) => inner.GrantLeaseAsync(ttl, cancellationToken);

    public Task<bool> KeepLeaseAliveAsync(long lease, CancellationToken cancellationToken) => inner.KeepLeaseAliveAsync(lease, cancellationToken);

    public Task RevokeLeaseAsync(long lease, CancellationToken cancellationToken) => inner.RevokeLeaseAsync(lease, cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private IValueTransformer For(string key) => resourceOf(key) is { } resource ? _compiled.For(resource) : IdentityTransformer.Instance;

    private StoreWrite Out(StoreWrite write) => write.Current is null ? write : write with { Current = Out(write.Current) };

    private StoreEvent Out(StoreEvent e) => e with { Entry = e.Type == StoreEventType.Delete ? e.Entry : Out(e.Entry)!, Previous = Out(e.Previous) };

    private StoreEntry? Out(StoreEntry? entry)
    {
        if (entry is null)
        {
            return null;
        }

        try
        {
            var (plain, stale) = For(entry.Key).FromStorage(entry.Value, entry.Key);
            return plain.Equals(entry.Value) && !stale ? entry : entry with { Value = plain, Stale = stale };
        }
        catch (ValueUnreadableException e)
        {
            return entry with { Unreadable = e.Message };
        }
    }

    private sealed class Compiled(EncryptionModel model)
    {
        private readonly ConcurrentDictionary<(string Group, string Resource), IValueTransformer> _transformers = new();

        public IValueTransformer For((string Group, string Resource) resource) =>
            _transformers.GetOrAdd(resource, static (r, m) => m.For(r.Group, r.Resource), model);
    }
}
