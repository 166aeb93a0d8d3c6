using Hardway.Api;
using Hardway.ApiServer.Errors;
using Hardway.Storage;
using Hardway.Storage.Cache;
using Hardway.Storage.Leases;

namespace Hardway.ApiServer.Registry;

/// <summary>Stored objects of any kind: reads by the rules of resourceVersion, and conditional writes. Safe for all threads.</summary>
internal sealed class ObjectStore(IStore store, WatchCache cache, LeasePool leases, TimeSpan eventTtl)
{
    /// <summary>Built-in kinds are written in protobuf, as upstream does by default.</summary>
    public bool WritesProtobuf { get; init; }

    public IStore Store => store;

    public WatchCache Cache => cache;

    public CachedObject? Cached(ResourceRegistry registry, string @namespace, string name) => cache.Get(registry.Key(@namespace, name));

    /// <summary>The object as of now, whoever wrote it.</summary>
    public async Task<CachedObject?> FreshAsync(ResourceRegistry registry, string @namespace, string name, CancellationToken cancellationToken)
    {
        var key = registry.Key(@namespace, name);
        var read = await store.GetAsync(key, 0, cancellationToken).ConfigureAwait(false);
        return read.Entry is { } entry ? FromEntry(registry, entry) : null;
    }

    /// <summary>A read at the resourceVersion a client asked for: "" the newest, "0" any, else not older.</summary>
    public async Task<CachedObject?> GetAsync(ResourceRegistry registry, string @namespace, string name, string version, CancellationToken cancellationToken)
    {
        await WaitAsync(version, cancellationToken).ConfigureAwait(false);
        var found = Good(cache.Get(registry.Key(@namespace, name)), registry);
        return found is null ? null : await ShowAsync(registry, found, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A custom object in the version of the registry; others are what they are.</summary>
    public static ValueTask<CachedObject> ShowAsync(ResourceRegistry registry, CachedObject stored, CancellationToken cancellationToken) =>
        registry.Custom is { } custom ? custom.ShowAsync(stored, cancellationToken) : ValueTask.FromResult(stored);

    /// <summary>Makes the cache new enough for the resourceVersion asked for.</summary>
    public async Task WaitAsync(string version, CancellationToken cancellationToken)
    {
        if (version.Length == 0)
        {
            await cache.WaitUntilConsistentAsync(cancellationToken).ConfigureAwait(false);
        }
        else if (version != "0")
        {
            await WaitForAsync(ResourceVersions.Parse(version), cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task WaitForAsync(long revision, CancellationToken cancellationToken)
    {
        if (!await cache.WaitUntilAsync(revision, TimeSpan.FromSeconds(3), cancellationToken).ConfigureAwait(false))
        {
            throw ResourceVersions.TooLarge(revision, cache.Revision);
        }
    }

    public async Task<StoreWrite> CreateAsync(ResourceRegistry registry, string key, KubeObject value, byte[] bytes, CancellationToken cancellationToken) =>
        await store.CreateAsync(key, await StoredAsync(registry, value, bytes, cancellationToken).ConfigureAwait(false), await LeaseAsync(registry, value, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    public async Task<StoreWrite> UpdateAsync(ResourceRegistry registry, string key, KubeObject value, byte[] bytes, long expected, CancellationToken cancellationToken) =>
        await store.UpdateAsync(key, await StoredAsync(registry, value, bytes, cancellationToken).ConfigureAwait(false), expected, await LeaseAsync(registry, value, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    public Task<StoreWrite> DeleteAsync(string key, long expected, CancellationToken cancellationToken) => store.DeleteAsync(key, expected, cancellationToken);

    private byte[] Stored(ResourceRegistry registry, KubeObject value, byte[] json) =>
        WritesProtobuf && !StoredForm.IsJsonEverywhere(registry) ? StoredForm.EncodeProtobuf(value) : json;

    public static CachedObject FromEntry(ResourceRegistry registry, StoreEntry entry)
    {
        if (entry.Unreadable is { } reason)
        {
            throw Statuses.Internal($"{entry.Key}: {reason}");
        }

        return ObjectDecoder.Make(registry, entry.Key, StoredForm.ToJson(entry.Value, registry).Span, entry.ModRevision);
    }

    public static KubeObject Decode(ResourceRegistry registry, CachedObject cached) => ((ObjectSlot)cached.Tag!).Get(registry.Storage.Type, cached);

    /// <summary>The object's message in protobuf in the version that is asked for; in the storage version it is kept beside the object.</summary>
    public static ReadOnlyMemory<byte> Message(ServedResource resource, CachedObject cached) => resource.IsStorageVersion
        ? ((ObjectSlot)cached.Tag!).Message(resource.Registry.Storage.Type, cached)
        : Hardway.Api.Protobuf.ApiProtobuf.SerializeMessage(VersionConversion.Convert(Decode(resource.Registry, cached), resource.Registry.Storage, resource.Info));

    public static CachedObject? Good(CachedObject? cached, ResourceRegistry registry) =>
        cached?.Error is { } error ? throw Statuses.Internal($"{registry.Resource} {cached.Name} cannot be read from the store: {error}") : cached;

    private ValueTask<byte[]> StoredAsync(ResourceRegistry registry, KubeObject value, byte[] json, CancellationToken cancellationToken) =>
        registry.Custom is { } custom ? custom.StoreAsync(value, json, cancellationToken) : ValueTask.FromResult(Stored(registry, value, json));

    private async ValueTask<long> LeaseAsync(ResourceRegistry registry, KubeObject value, CancellationToken cancellationToken) =>
        (registry is { Group: "", Resource: "events" } ? eventTtl : registry.Rules.TimeToLive(value)) is { } time ? await leases.LeaseForAsync(time, cancellationToken).ConfigureAwait(false) : 0;
}
