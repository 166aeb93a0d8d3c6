using System.Net;
using Hardway.Proxy.Iptables;
using Hardway.Proxy.Model;
using static Hardway.Proxy.Tests.ProxySamples;

namespace Hardway.Proxy.Tests;

public sealed class IptablesRulesTests
{
    private static readonly ServicePort s_web = Port("web", "10.32.0.7", Local("10.200.0.2"), Remote("10.200.1.3"));

    private static string Full(params ServicePort[] ports) => IptablesTable.Script([], IptablesRules.Build(ports, IptablesPacketTests.Options));

    private static string Delta(ServicePort[] from, ServicePort[] to) =>
        IptablesTable.Script(IptablesRules.Build(from, IptablesPacketTests.Options), IptablesRules.Build(to, IptablesPacketTests.Options));

    [Fact]
    public void A_Service_has_upstreams_chains() => Golden.Same("iptables-full.txt", Full(s_web));

    [Fact]
    public void An_external_Service_has_every_kind_of_rule() => Golden.Same("iptables-external.txt", Delta([], [s_web with
    {
        NodePort = 30080,
        ExternalLocal = true,
        HealthCheckNodePort = 31000,
        LoadBalancerIPs = [IPAddress.Parse("203.0.113.7")],
        SourceRanges = [IPNetwork.Parse("192.0.2.0/24")],
        Affinity = TimeSpan.FromHours(3),
    }]));

    [Fact]
    public void A_new_endpoint_touches_its_Service_only() =>
        Golden.Same("iptables-endpoint-added.txt", Delta([s_web], [Port("web", "10.32.0.7", Local("10.200.0.2"), Remote("10.200.1.3"), Remote("10.200.1.9"))]));

    [Fact]
    public void A_removed_Service_leaves_no_chain() => Golden.Same("iptables-service-removed.txt", Delta([s_web], []));

    [Fact]
    public void Nothing_to_do_is_no_script() => Assert.Equal("", Delta([s_web], [s_web with { }]));
}
