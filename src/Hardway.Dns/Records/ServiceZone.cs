using System.Net;
using System.Net.Sockets;
using Hardway.Dns.Wire;

namespace Hardway.Dns.Records;

/// <summary>
/// The records of one Service, computed once when it or its endpoints change (Kubernetes DNS specification 1.1.0, section 2.3 to 2.5).
/// Immutable. Names below the Service are looked up by their labels under it, joined by dots.
/// </summary>
internal sealed class ServiceZone
{
    private readonly Dictionary<string, List<DnsRecord>> _names = new(StringComparer.Ordinal);

    private ServiceZone(DnsName name) => Name = name;

    public DnsName Name { get; }

    /// <summary>Addresses with a PTR record, and the name that each points to.</summary>
    public List<KeyValuePair<IPAddress, DnsName>> Pointers { get; } = [];

    /// <summary>True when the Service has no record: a headless Service without a ready endpoint does not exist in DNS.</summary>
    public bool IsEmpty => _names.Count == 0;

    public static ServiceZone Build(ServiceRecord service, IEnumerable<EndpointRecord> endpoints, DnsName clusterDomain, uint ttl)
    {
        var zone = new ServiceZone(clusterDomain.Prepend(service.Key.Name, service.Key.Namespace, "svc"));
        if (service.ExternalName is { Length: > 0 } target)
        {
            if (DnsName.TryParse(target, out var name))
            {
                zone.Add("", DnsRecord.Cname(zone.Name, ttl, name));
            }
        }
        else if (service.Headless)
        {
            zone.AddHeadless(endpoints, ttl);
        }
        else
        {
            zone.AddClusterIPs(service, ttl);
        }

        return zone;
    }

    /// <summary>The records at a name under the Service; null when there is no such name.</summary>
    public IReadOnlyList<DnsRecord>? Find(string below) => _names.GetValueOrDefault(below);

    private void AddClusterIPs(ServiceRecord service, uint ttl)
    {
        foreach (var address in service.ClusterIPs)
        {
            Add("", DnsRecord.Address(Name, ttl, address));
            Pointers.Add(new(address, Name));
        }

        foreach (var port in service.Ports)
        {
            AddSrv(port, Name, ttl);
        }
    }

    private void AddHeadless(IEnumerable<EndpointRecord> endpoints, uint ttl)
    {
        var seen = new HashSet<(string, IPAddress)>();
        foreach (var endpoint in endpoints)
        {
            var hostname = (endpoint.Hostname is { Length: > 0 } given ? given : Dashed(endpoint.Address)).ToLowerInvariant();
            if (!DnsName.TryParse(hostname, out var label) || label.Count != 1)
            {
                continue;
            }

            var name = Name.Prepend(hostname);
            if (seen.Add((hostname, endpoint.Address)))
            {
                Add("", DnsRecord.Address(Name, ttl, endpoint.Address));
                Add(hostname, DnsRecord.Address(name, ttl, endpoint.Address));
                if (endpoint.Hostname is { Length: > 0 })
                {
                    Pointers.Add(new(endpoint.Address, name));
                }
            }

            foreach (var port in endpoint.Ports)
            {
                AddSrv(port, name, ttl);
            }
        }
    }

    private void AddSrv(PortRecord port, DnsName target, uint ttl)
    {
        if (port.Name.Length == 0 || port.Port is <= 0 or > 65535)
        {
            return;
        }

        var protocol = "_" + port.Protocol.ToLowerInvariant();
        var portLabel = "_" + port.Name.ToLowerInvariant();
        var srv = DnsRecord.Srv(Name.Prepend(portLabel, protocol), ttl, 0, 100, (ushort)port.Port, target);
        _names.TryAdd(protocol, []); // an empty non-terminal: it exists and has no data
        var records = _names.TryGetValue(portLabel + "." + protocol, out var found) ? found : [];
        _names[portLabel + "." + protocol] = records;
        if (!records.Exists(r => r.Data.Span.SequenceEqual(srv.Data.Span)))
        {
            records.Add(srv);
        }
    }

    private void Add(string below, DnsRecord record)
    {
        if (!_names.TryGetValue(below, out var records))
        {
            _names[below] = records = [];
        }

        if (!records.Exists(r => r.Type == record.Type && r.Data.Span.SequenceEqual(record.Data.Span)))
        {
            records.Add(record);
        }
    }

    private static string Dashed(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6
        ? address.ToString().Replace(':', '-')
        : address.ToString().Replace('.', '-');
}
