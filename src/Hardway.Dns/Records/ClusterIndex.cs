using System.Collections.Immutable;
using System.Net;
using Hardway.Dns.Wire;

namespace Hardway.Dns.Records;

/// <summary>
/// Everything the cluster's domain knows, immutable: readers take one reference and see one state, the writer replaces it.
/// A change of one Service costs O(log n).
/// </summary>
internal sealed class ClusterIndex
{
    public static readonly ClusterIndex Empty = new(
        ImmutableDictionary<ServiceKey, ServiceZone>.Empty,
        ImmutableDictionary<IPAddress, ImmutableList<DnsName>>.Empty,
        ImmutableHashSet<string>.Empty);

    private readonly ImmutableDictionary<ServiceKey, ServiceZone> _services;
    private readonly ImmutableDictionary<IPAddress, ImmutableList<DnsName>> _pointers;
    private readonly ImmutableHashSet<string> _namespaces;

    private ClusterIndex(
        ImmutableDictionary<ServiceKey, ServiceZone> services,
        ImmutableDictionary<IPAddress, ImmutableList<DnsName>> pointers,
        ImmutableHashSet<string> namespaces)
    {
        _services = services;
        _pointers = pointers;
        _namespaces = namespaces;
    }

    public int Count => _services.Count;

    public ServiceZone? Service(string @namespace, string name) => _services.GetValueOrDefault(new(@namespace, name));

    public bool HasNamespace(string name) => _namespaces.Contains(name);

    public IReadOnlyList<DnsName> Pointers(IPAddress address) => _pointers.GetValueOrDefault(address) ?? [];

    public ClusterIndex WithNamespace(string name, bool exists) =>
        new(_services, _pointers, exists ? _namespaces.Add(name) : _namespaces.Remove(name));

    /// <summary>The index with this Service's records replaced, or removed when null or empty.</summary>
    public ClusterIndex WithService(ServiceKey key, ServiceZone? zone)
    {
        var pointers = _pointers;
        foreach (var (address, name) in _services.GetValueOrDefault(key)?.Pointers ?? [])
        {
            if (pointers.TryGetValue(address, out var names))
            {
                names = names.Remove(name);
                pointers = names.IsEmpty ? pointers.Remove(address) : pointers.SetItem(address, names);
            }
        }

        if (zone is null || zone.IsEmpty)
        {
            return new(_services.Remove(key), pointers, _namespaces);
        }

        foreach (var (address, name) in zone.Pointers)
        {
            pointers = pointers.SetItem(address, (pointers.GetValueOrDefault(address) ?? []).Add(name));
        }

        return new(_services.SetItem(key, zone), pointers, _namespaces);
    }
}
