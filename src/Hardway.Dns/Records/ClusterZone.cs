using Hardway.Dns.Wire;

namespace Hardway.Dns.Records;

/// <summary>An answer from the cluster's own records: the rcode, and the records of the name with the wanted type.</summary>
internal readonly record struct ZoneAnswer(DnsRcode Rcode, IReadOnlyList<DnsRecord> Records, IReadOnlyList<DnsRecord> Additional);

/// <summary>
/// Answers questions about the cluster's domain and about addresses of Services from an index (Kubernetes DNS specification 1.1.0).
/// Pure: the index is an argument, no time, no I/O. Null means "not mine: ask the others".
///
///   dns-version.ZONE                 TXT
///   SERVICE.NS.svc.ZONE              A, AAAA, CNAME         and below it HOSTNAME, _PORT._PROTO
///   A-B-C-D.NS.pod.ZONE              A                      for any address, where the namespace exists
///   reverse names                    PTR                    only those that are known; others are not mine
/// </summary>
internal sealed class ClusterZone(DnsName domain, uint ttl)
{
    private static readonly ZoneAnswer s_noData = new(DnsRcode.NoError, [], []);
    private static readonly ZoneAnswer s_noName = new(DnsRcode.NxDomain, [], []);
    private static readonly ServiceKey s_ownService = new("kube-system", "kube-dns");

    public DnsName Domain => domain;

    public uint Ttl => ttl;

    /// <summary>For the authority section of a denial.</summary>
    public DnsRecord Soa(uint serial) =>
        DnsRecord.Soa(domain, ttl, domain.Prepend("ns", "dns"), domain.Prepend("hostmaster"), serial, ttl);

    public ZoneAnswer? Answer(ClusterIndex index, DnsQuestion question)
    {
        if (!question.Name.EndsWith(domain))
        {
            return Reverse(index, question);
        }

        var labels = question.Name.Labels[..^domain.Count];
        if (labels.IsEmpty)
        {
            return Apex(question);
        }

        return DnsName.Fold(labels[^1]) switch
        {
            "svc" => Service(index, question, labels[..^1]),
            "pod" => Pod(index, question, labels[..^1]),
            "dns-version" when labels.Length == 1 => Select([DnsRecord.Text(question.Name, DnsType.Txt, ttl, "1.1.0")], question.Type),
            "dns" => NameServer(index, question, labels[..^1]),
            _ => s_noName,
        };
    }

    private ZoneAnswer? Reverse(ClusterIndex index, DnsQuestion question)
    {
        if (ReverseName.Address(question.Name) is not { } address || index.Pointers(address) is not { Count: > 0 } names)
        {
            return null;
        }

        return Select([.. names.Select(name => DnsRecord.Ptr(question.Name, ttl, name))], question.Type);
    }

    private ZoneAnswer Apex(DnsQuestion question) =>
        Select([Soa(1), DnsRecord.Ns(domain, ttl, domain.Prepend("ns", "dns"))], question.Type);

    private ZoneAnswer NameServer(ClusterIndex index, DnsQuestion question, ReadOnlySpan<string> labels)
    {
        if (labels.Length != 1 || DnsName.Fold(labels[0]) != "ns")
        {
            return labels.IsEmpty ? s_noData : s_noName;
        }

        var own = index.Service(s_ownService.Namespace, s_ownService.Name)?.Find("") ?? [];
        return Select([.. own.Select(r => r with { Name = question.Name })], question.Type);
    }

    private static ZoneAnswer Service(ClusterIndex index, DnsQuestion question, ReadOnlySpan<string> labels)
    {
        if (labels.IsEmpty)
        {
            return s_noData;
        }

        var @namespace = DnsName.Fold(labels[^1]);
        if (labels.Length == 1)
        {
            return index.HasNamespace(@namespace) ? s_noData : s_noName;
        }

        if (labels.Length > 4 || index.Service(@namespace, DnsName.Fold(labels[^2])) is not { } service)
        {
            return s_noName;
        }

        var below = labels.Length == 4 ? DnsName.Fold(labels[0]) + "." + DnsName.Fold(labels[1])
            : labels.Length == 3 ? DnsName.Fold(labels[0]) : "";
        if (service.Find(below) is not { } records)
        {
            return s_noName;
        }

        var answer = Select(records, question.Type, question.Name);
        return question.Type == DnsType.Srv ? answer with { Additional = Targets(service, answer.Records) } : answer;
    }

    private ZoneAnswer Pod(ClusterIndex index, DnsQuestion question, ReadOnlySpan<string> labels)
    {
        if (labels.IsEmpty)
        {
            return s_noData;
        }

        if (labels.Length > 2 || !index.HasNamespace(DnsName.Fold(labels[^1])))
        {
            return s_noName;
        }

        if (labels.Length == 1)
        {
            return s_noData;
        }

        return ReverseName.PodAddress(DnsName.Fold(labels[0])) is { } address
            ? Select([DnsRecord.Address(question.Name, ttl, address)], question.Type)
            : s_noName;
    }

    /// <summary>The addresses of the targets of SRV records, so that a client need not ask again.</summary>
    private static List<DnsRecord> Targets(ServiceZone service, IReadOnlyList<DnsRecord> srv)
    {
        var found = new List<DnsRecord>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var record in srv)
        {
            var target = new DnsReader(record.Data.Span[6..]).Name();
            if (seen.Add(target.Key))
            {
                var below = target.Count > service.Name.Count ? target.Labels[0] : "";
                found.AddRange((service.Find(below) ?? []).Where(r => r.Type is DnsType.A or DnsType.Aaaa));
            }
        }

        return found;
    }

    /// <summary>Records of the type; an alias answers every type but its own. ANY gets the short answer of RFC 8482.</summary>
    private static ZoneAnswer Select(IReadOnlyList<DnsRecord> records, ushort type, DnsName? asAsked = null)
    {
        if (type == DnsType.Any && records.Count > 0)
        {
            return new(DnsRcode.NoError, [DnsRecord.Text(asAsked ?? records[0].Name, DnsType.Hinfo, 3600, "RFC8482", "")], []);
        }

        var chosen = new List<DnsRecord>();
        foreach (var record in records)
        {
            if (record.Type == type || record.Type == DnsType.Cname)
            {
                chosen.Add(asAsked is null ? record : record with { Name = asAsked });
            }
        }

        return new(DnsRcode.NoError, chosen, []);
    }
}
