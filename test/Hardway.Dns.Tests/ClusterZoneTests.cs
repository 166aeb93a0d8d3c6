using System.Net;
using Hardway.Dns.Records;
using Hardway.Dns.Wire;

namespace Hardway.Dns.Tests;

public sealed class ClusterZoneTests
{
    private static readonly DnsName s_domain = DnsName.Parse("cluster.local");
    private static readonly PortRecord s_http = new("http", "TCP", 80);
    private readonly ClusterZone _zone = new(s_domain, 5);
    private readonly ClusterIndex _index;

    public ClusterZoneTests()
    {
        var index = ClusterIndex.Empty.WithNamespace("default", true);
        index = With(index, new ServiceRecord(new("default", "web")) { ClusterIPs = [IPAddress.Parse("10.32.0.7"), IPAddress.Parse("fd00::7")], Ports = [s_http, new("", "UDP", 53)] });
        index = With(
            index,
            new ServiceRecord(new("default", "db")) { Headless = true },
            new EndpointRecord(IPAddress.Parse("10.200.0.3"), "db-0", [s_http]),
            new EndpointRecord(IPAddress.Parse("10.200.1.4"), null, [s_http]));
        index = With(index, new ServiceRecord(new("default", "empty")) { Headless = true });
        _index = With(index, new ServiceRecord(new("default", "out")) { ExternalName = "example.org" });
    }

    private static ClusterIndex With(ClusterIndex index, ServiceRecord service, params EndpointRecord[] endpoints) =>
        index.WithService(service.Key, ServiceZone.Build(service, endpoints, s_domain, 5));

    private ZoneAnswer? Ask(string name, ushort type) => _zone.Answer(_index, new(DnsName.Parse(name), type, DnsClass.In));

    private string[] Addresses(string name, ushort type = DnsType.A) => [.. Ask(name, type)!.Value.Records.Select(r => r.AsAddress().ToString()).Order()];

    private DnsRcode Code(string name, ushort type = DnsType.A) => Ask(name, type)!.Value.Rcode;

    [Fact]
    public void A_Service_has_its_cluster_addresses()
    {
        Assert.Equal(["10.32.0.7"], Addresses("web.default.svc.cluster.local"));
        Assert.Equal(["fd00::7"], Addresses("WEB.default.svc.Cluster.local", DnsType.Aaaa));
    }

    [Fact]
    public void A_named_port_has_a_SRV_record_and_its_target_comes_along()
    {
        var answer = Ask("_http._tcp.web.default.svc.cluster.local", DnsType.Srv)!.Value;

        Assert.Equal("000000640050037765620764656661756C740373766307636C7573746572056C6F63616C00", Convert.ToHexString(Assert.Single(answer.Records).Data.Span));
        Assert.Equal(2, answer.Additional.Count);
        Assert.Equal(DnsRcode.NxDomain, Code("_dns._udp.web.default.svc.cluster.local", DnsType.Srv));
        Assert.Equal(DnsRcode.NoError, Code("_tcp.web.default.svc.cluster.local"));
    }

    [Fact]
    public void A_headless_Service_has_every_endpoint_under_its_own_name()
    {
        Assert.Equal(["10.200.0.3", "10.200.1.4"], Addresses("db.default.svc.cluster.local"));
        Assert.Equal(["10.200.0.3"], Addresses("db-0.db.default.svc.cluster.local"));
        Assert.Equal(["10.200.1.4"], Addresses("10-200-1-4.db.default.svc.cluster.local"));
        Assert.Equal(2, Ask("_http._tcp.db.default.svc.cluster.local", DnsType.Srv)!.Value.Records.Count);
    }

    [Fact]
    public void A_headless_Service_without_ready_endpoints_does_not_exist() => Assert.Equal(DnsRcode.NxDomain, Code("empty.default.svc.cluster.local"));

    [Fact]
    public void An_ExternalName_is_an_alias() =>
        Assert.Equal("example.org.", Assert.Single(Ask("out.default.svc.cluster.local", DnsType.A)!.Value.Records).AsName().ToString());

    [Fact]
    public void A_Pod_name_is_its_address_where_the_namespace_exists()
    {
        Assert.Equal(["10.200.0.9"], Addresses("10-200-0-9.default.pod.cluster.local"));
        Assert.Equal(DnsRcode.NxDomain, Code("10-200-0-9.nowhere.pod.cluster.local"));
        Assert.Equal(DnsRcode.NxDomain, Code("nonsense.default.pod.cluster.local"));
    }

    [Fact]
    public void Addresses_of_Services_and_of_named_endpoints_have_a_name()
    {
        Assert.Equal("web.default.svc.cluster.local.", Ask("7.0.32.10.in-addr.arpa", DnsType.Ptr)!.Value.Records.Single().AsName().ToString());
        Assert.Equal("db-0.db.default.svc.cluster.local.", Ask("3.0.200.10.in-addr.arpa", DnsType.Ptr)!.Value.Records.Single().AsName().ToString());
        Assert.Equal("web.default.svc.cluster.local.", Ask("7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", DnsType.Ptr)!.Value.Records.Single().AsName().ToString());
    }

    [Fact]
    public void Unknown_reverse_names_and_other_domains_are_for_others()
    {
        Assert.Null(Ask("4.1.200.10.in-addr.arpa", DnsType.Ptr));
        Assert.Null(Ask("example.org", DnsType.A));
    }

    [Fact]
    public void Names_between_have_no_data_and_unknown_names_do_not_exist()
    {
        foreach (var name in new[] { "cluster.local", "svc.cluster.local", "default.svc.cluster.local", "default.pod.cluster.local", "_tcp.db.default.svc.cluster.local" })
        {
            Assert.Equal((name, DnsRcode.NoError, 0), (name, Code(name), Ask(name, DnsType.A)!.Value.Records.Count));
        }

        foreach (var name in new[] { "example.org.cluster.local", "nowhere.svc.cluster.local", "no.default.svc.cluster.local", "x.web.default.svc.cluster.local", "a.b.c.web.default.svc.cluster.local", "org.svc.cluster.local" })
        {
            Assert.Equal((name, DnsRcode.NxDomain), (name, Code(name)));
        }
    }

    [Fact]
    public void The_version_of_the_specification_is_told()
    {
        var text = Assert.Single(Ask("dns-version.cluster.local", DnsType.Txt)!.Value.Records);

        Assert.Equal("\u00051.1.0", System.Text.Encoding.Latin1.GetString(text.Data.Span));
    }

    [Fact]
    public void A_removed_Service_leaves_nothing()
    {
        var index = _index.WithService(new("default", "web"), null).WithService(new("default", "db"), null).WithService(new("default", "out"), null);

        Assert.Equal(0, index.Count);
        Assert.Empty(index.Pointers(IPAddress.Parse("10.32.0.7")));
        Assert.Empty(index.Pointers(IPAddress.Parse("10.200.0.3")));
    }
}
