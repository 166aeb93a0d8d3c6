using System.Collections.Frozen;
using Hardway.Api;

namespace Hardway.ApiServer.Registry;

/// <summary>
/// Which resources this server serves, in which versions. Built-in ones are fixed at start (--runtime-config); custom ones come and go:
/// readers take a snapshot. Safe for all threads.
/// </summary>
internal sealed class ResourceScheme
{
    private readonly FrozenDictionary<(string Group, string Version, string Plural), ServedResource> _served;
    private readonly FrozenDictionary<TypeSchema, ResourceRegistry> _byType;
    private readonly FrozenDictionary<string, ResourceRegistry> _byPrefix;
    private readonly FrozenSet<string> _groups;
    private volatile CustomResources _custom = CustomResources.None;

    public ResourceScheme(RuntimeConfig config)
    {
        var on = ApiCatalog.Resources.Where(config.IsOn).ToList();
        var registries = new Dictionary<(string, string), ResourceRegistry>();
        foreach (var info in on.OrderByDescending(r => r.IsPreferredVersion))
        {
            registries.TryAdd((info.Group, info.Plural), new ResourceRegistry(info, RulesCatalog.Find(info), StorageLayout.Prefix(info)));
        }

        // Events of both groups are one set of objects, stored as the core group's.
        if (registries.TryGetValue(("", "events"), out var events) && registries.ContainsKey(("events.k8s.io", "events")))
        {
            registries[("events.k8s.io", "events")] = events;
        }

        BuiltIn = on.ConvertAll(info => new ServedResource(info, registries[(info.Group, info.Plural)]));
        _groups = on.Select(r => r.Group).ToFrozenSet(StringComparer.Ordinal);
        _served = BuiltIn.ToFrozenDictionary(r => (r.Info.Group, r.Info.Version, r.Info.Plural));
        _byType = registries.Values.DistinctBy(r => r.Storage.Type).ToFrozenDictionary(r => r.Storage.Type);
        _byPrefix = registries.Values.DistinctBy(r => r.Prefix).ToFrozenDictionary(r => r.Prefix);
    }

    /// <summary>In discovery order.</summary>
    public IReadOnlyList<ServedResource> BuiltIn { get; }

    public CustomResources Custom
    {
        get => _custom;
        set => _custom = value;
    }

    /// <summary>Some version of the group is this server's own.</summary>
    public bool IsBuiltIn(string group) => _groups.Contains(group);

    public IEnumerable<ServedResource> All => BuiltIn.Concat(_custom.Served);

    public ServedResource? Find(string group, string version, string plural) =>
        _served.GetValueOrDefault((group, version, plural)) ?? _custom.Find(group, version, plural);

    /// <summary>The other versions, or groups, in which the same stored objects are served.</summary>
    public IEnumerable<ServedResource> Equivalents(ServedResource resource) => All.Where(r => r.Registry.Prefix == resource.Registry.Prefix && r.Info != resource.Info);

    /// <summary>The registry of a kind by its storage version's type.</summary>
    public ResourceRegistry Of(TypeSchema type) =>
        _byType.GetValueOrDefault(type) ?? throw new InvalidOperationException($"{type} is not the storage version of a served kind");

    public bool Serves(TypeSchema type) => _byType.ContainsKey(type);

    /// <summary>The registry that a key of the store belongs to; null for what nobody serves.</summary>
    public ResourceRegistry? ByKey(string key)
    {
        var first = key.IndexOf('/', StorageLayout.Root.Length);
        if (first < 0)
        {
            return null;
        }

        if (_byPrefix.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(key.AsSpan(0, first), out var registry))
        {
            return registry;
        }

        var second = key.IndexOf('/', first + 1);
        if (second < 0)
        {
            return null;
        }

        return _byPrefix.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(key.AsSpan(0, second), out registry) ? registry : _custom.ByPrefix(key[..second]);
    }
}

/// <summary>The custom resources of the moment. Immutable.</summary>
internal sealed class CustomResources(IReadOnlyList<ServedResource> served)
{
    public static readonly CustomResources None = new([]);

    private readonly FrozenDictionary<(string, string, string), ServedResource> _byName =
        served.ToFrozenDictionary(r => (r.Info.Group, r.Info.Version, r.Info.Plural));

    private readonly FrozenDictionary<string, ResourceRegistry> _byPrefix =
        served.Select(r => r.Registry).DistinctBy(r => r.Prefix).ToFrozenDictionary(r => r.Prefix);

    public IReadOnlyList<ServedResource> Served => served;

    public ServedResource? Find(string group, string version, string plural) => _byName.GetValueOrDefault((group, version, plural));

    public ResourceRegistry? ByPrefix(string prefix) => _byPrefix.GetValueOrDefault(prefix);
}
