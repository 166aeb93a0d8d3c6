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

    /// <summary>The configuration in force.</summary>
    public EncryptionModel Model => _compiled.Model;

    /// <summary>The one of before is left to what is still being read with it.</summary>
    public void Use(EncryptionModel replacement) => _compiled = new Compiled(replacement);

    public async Task<StoreRead> GetAsync(string key, long revision, CancellationToken cancellationToken)
    {
        var read = await inner.GetAsync(key, revision, cancellationToken).ConfigureAwait(false);
        return read with { Entry = await OutAsync(read.Entry, cancellationToken).ConfigureAwait(false) };
    }

    public async Task<StoreList> ListAsync(StoreListRequest request, CancellationToken cancellationToken)
    {
        var list = await inner.ListAsync(request, cancellationToken).ConfigureAwait(false);
        if (request.KeysOnly || request.CountOnly)
        {
            return list;
        }

        var entries = new List<StoreEntry>(list.Entries.Count);
        foreach (var entry in list.Entries)
        {
            entries.Add((await OutAsync(entry, cancellationToken).ConfigureAwait(false))!);
        }

        return list with { Entries = entries };
    }

    public async Task<StoreWrite> CreateAsync(string key, ReadOnlyMemory<byte> value, long lease, CancellationToken cancellationToken) =>
        await OutAsync(await inner.CreateAsync(key, await InAsync(key, value, cancellationToken).ConfigureAwait(false), lease, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    public async Task<StoreWrite> UpdateAsync(string key, ReadOnlyMemory<byte> value, long expectedModRevision, long lease, CancellationToken cancellationToken) =>
        await OutAsync(await inner.UpdateAsync(key, await InAsync(key, value, cancellationToken).ConfigureAwait(false), expectedModRevision, lease, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    public async Task<StoreWrite> DeleteAsync(string key, long expectedModRevision, CancellationToken cancellationToken) =>
        await OutAsync(await inner.DeleteAsync(key, expectedModRevision, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    public Task<long> CurrentRevisionAsync(CancellationToken cancellationToken) => inner.CurrentRevisionAsync(cancellationToken);

    public async IAsyncEnumerable<StoreWatchBatch> WatchAsync(string prefix, long fromRevision, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var batch in inner.WatchAsync(prefix, fromRevision, cancellationToken).ConfigureAwait(false))
        {
            if (batch.Events.Count == 0)
            {
                yield return batch;
                continue;
            }

            var events = new List<StoreEvent>(batch.Events.Count);
            foreach (var e in batch.Events)
            {
                events.Add(await OutAsync(e, cancellationToken).ConfigureAwait(false));
            }

            yield return batch with { Events = events };
        }
    }

    public Task CompactAsync(long revision, CancellationToken cancellationToken) => inner.CompactAsync(revision, cancellationToken);

    public Task<long> GrantLeaseAsync(TimeSpan ttl, CancellationToken cancellationToken) => inner.GrantLeaseAsync(ttl, cancellationToken);

    public Task<bool> KeepLeaseAliveAsync(long lease, CancellationToken cancellationToken) => inner.KeepLeaseAliveAsync(lease, cancellationToken);

    public Task RevokeLeaseAsync(long lease, CancellationToken cancellationToken) => inner.RevokeLeaseAsync(lease, cancellationToken);

    public ValueTask DisposeAsync()
    {
        Model.Dispose();
        return inner.DisposeAsync();
    }

    private IValueTransformer For(string key) => resourceOf(key) is { } resource ? _compiled.For(resource) : IdentityTransformer.Instance;

    private async ValueTask<ReadOnlyMemory<byte>> InAsync(string key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken)
    {
        var transformer = For(key);
        await transformer.PrepareWriteAsync(cancellationToken).ConfigureAwait(false);
        return transformer.ToStorage(value, key);
    }

    private async ValueTask<StoreWrite> OutAsync(StoreWrite write, CancellationToken cancellationToken) =>
        write.Current is null ? write : write with { Current = await OutAsync(write.Current, cancellationToken).ConfigureAwait(false) };

    private async ValueTask<StoreEvent> OutAsync(StoreEvent e, CancellationToken cancellationToken) => e with
    {
        Entry = e.Type == StoreEventType.Delete ? e.Entry : (await OutAsync(e.Entry, cancellationToken).ConfigureAwait(false))!,
        Previous = await OutAsync(e.Previous, cancellationToken).ConfigureAwait(false),
    };

    private async ValueTask<StoreEntry?> OutAsync(StoreEntry? entry, CancellationToken cancellationToken)
    {
        if (entry is null)
        {
            return null;
        }

        try
        {
            var transformer = For(entry.Key);
            if (transformer.Reads(entry.Value.Span))
            {
                await transformer.PrepareReadAsync(entry.Value, cancellationToken).ConfigureAwait(false);
            }

            var (plain, stale) = transformer.FromStorage(entry.Value, entry.Key);
            return plain.Equals(entry.Value) && !stale ? entry : entry with { Value = plain, Stale = stale };
        }
        catch (ValueUnreadableException e)
        {
            return entry with { Unreadable = e.Message };
        }
    }

    private sealed class Compiled(EncryptionModel model)
    {
        public EncryptionModel Model => model;

        private readonly ConcurrentDictionary<(string Group, string Resource), IValueTransformer> _transformers = new();

        public IValueTransformer For((string Group, string Resource) resource) =>
            _transformers.GetOrAdd(resource, static (r, m) => m.For(r.Group, r.Resource), model);
    }
}
