using Hardway.Api;
using Hardway.Storage;
using Hardway.Storage.Cache;

namespace Hardway.ApiServer.Registry;

/// <summary>Makes the served form of a stored object for the watch cache. Called by the cache's one writer.</summary>
internal sealed class ObjectDecoder(ResourceScheme scheme) : IObjectDecoder
{
    public CachedObject? Decode(StoreEntry entry)
    {
        var key = entry.Key;
        if (!key.StartsWith(StorageLayout.Root, StringComparison.Ordinal) || !StorageLayout.IsObject(Partition(key)))
        {
            return null;
        }

        var registry = scheme.ByKey(key);
        return Make(registry, key, StoredForm.ToJson(entry.Value, registry).Span, entry.ModRevision);
    }

    public CachedObject Deleted(CachedObject last, long revision) => new()
    {
        Key = last.Key,
        Name = last.Name,
        Namespace = last.Namespace,
        ResourceVersion = revision,
        Json = ObjectBytes.WithResourceVersion(last.Json.Span, revision),
        Labels = last.Labels,
        Fields = last.Fields,
        Index = last.Index,
        Tag = new ObjectSlot(),
    };

    public static CachedObject Make(ResourceRegistry? registry, string key, ReadOnlySpan<byte> json, long revision)
    {
        var rules = registry?.Rules ?? DefaultRules.Instance;
        var scanner = new MetadataScanner(json, rules.SelectableFields);
        scanner.Scan();
        return new CachedObject
        {
            Key = key,
            Name = scanner.Name,
            Namespace = scanner.Namespace,
            ResourceVersion = revision,
            Json = ObjectBytes.WithResourceVersion(json, revision),
            Labels = scanner.Labels ?? s_none,
            Fields = scanner.Fields ?? s_none,
            Index = rules.IndexField is { } index && scanner.Fields is not null ? scanner.Fields.GetValueOrDefault(index) : null,
            Tag = new ObjectSlot(),
        };
    }

    private static readonly Dictionary<string, string> s_none = [];

    private static string Partition(string key)
    {
        var end = key.IndexOf('/', StorageLayout.Root.Length);
        return end < 0 ? key[StorageLayout.Root.Length..] : key[StorageLayout.Root.Length..end];
    }
}

/// <summary>
/// Keeps an object's decoded form beside its bytes once somebody asked for it, as long as there is memory: the collector may take it. Shared: never
/// change the object.
/// </summary>
internal sealed class ObjectSlot
{
    private WeakReference<KubeObject>? _value;
    private byte[]? _message;

    /// <summary>Of a custom object: how the version that was asked for last shows it.</summary>
    public Custom.ShownObject? Shown
    {
        get => Volatile.Read(ref field);
        set => Volatile.Write(ref field, value);
    }

    public KubeObject Get(TypeSchema type, CachedObject cached) => Known(type) ?? Fill(type, cached);

    private KubeObject? Known(TypeSchema type) =>
        Volatile.Read(ref _value) is { } slot && slot.TryGetTarget(out var known) && known.StructSchema == type ? known : null;

    /// <summary>The object's protobuf message, kept once a client asked for it.</summary>
    public ReadOnlyMemory<byte> Message(TypeSchema type, CachedObject cached) => Volatile.Read(ref _message) ?? FillMessage(type, cached);

    private byte[] FillMessage(TypeSchema type, CachedObject cached)
    {
        var message = Hardway.Api.Protobuf.ApiProtobuf.SerializeMessage(Get(type, cached));
        Volatile.Write(ref _message, message);
        return message;
    }

    private KubeObject Fill(TypeSchema type, CachedObject cached)
    {
        var value = (KubeObject)ApiJson.Deserialize(type, cached.Json.Span);
        Volatile.Write(ref _value, new WeakReference<KubeObject>(value));
        return value;
    }
}
