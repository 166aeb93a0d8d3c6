using System.Net;
using Hardway.Proxy.Model;
using Hardway.Proxy.Nftables;
using static Hardway.Proxy.Tests.ProxySamples;

namespace Hardway.Proxy.Tests;

public sealed class NftPlannerTests
{
    private static readonly ServicePort s_web = Port("web", "10.32.0.7", Local("10.200.0.2"), Remote("10.200.1.3"));

    private static NftPlan Full(params ServicePort[] ports) => NftPlanner.Plan(null, Fragments(ports), Options);

    private static string Delta(ServicePort[] from, ServicePort[] to)
    {
        var plan = NftPlanner.Plan(Full(from).Commit(), Fragments(to), Options);
        return plan.Sweep.Length == 0 ? plan.Change : plan.Change + "--- sweep\n" + plan.Sweep;
    }

    [Fact]
    public void The_first_sync_replaces_the_whole_table() => Golden.Same("full.nft", Full(s_web).Change);

    [Fact]
    public void An_external_Service_has_every_kind_of_chain() => Golden.Same("external.nft", Delta([], [s_web with
    {
        NodePort = 30080,
        ExternalIPs = [IPAddress.Parse("198.51.100.7")],
        LoadBalancerIPs = [IPAddress.Parse("203.0.113.7")],
        SourceRanges = [IPNetwork.Parse("192.0.2.0/24")],
        Affinity = TimeSpan.FromHours(3),
    }]));

    [Fact]
    public void External_policy_Local_keeps_the_source_of_others() =>
        Golden.Same("external-local.nft", Delta([], [s_web with { NodePort = 30080, ExternalLocal = true }]));

    [Fact]
    public void External_policy_Local_without_a_local_endpoint_drops_others() =>
        Golden.Same("external-local-none.nft", Delta([], [Port("web", "10.32.0.7", Remote("10.200.1.3")) with { NodePort = 30080, ExternalLocal = true }]));

    [Fact]
    public void Internal_policy_Local_without_a_local_endpoint_drops() =>
        Golden.Same("internal-local-none.nft", Delta([], [Port("web", "10.32.0.7", Remote("10.200.1.3")) with { InternalLocal = true }]));

    [Fact]
    public void A_Service_without_endpoints_refuses() => Golden.Same("no-endpoints.nft", Delta([], [Port("web", "10.32.0.7") with { NodePort = 30080 }]));

    [Fact]
    public void A_new_endpoint_is_a_small_change() =>
        Golden.Same("endpoint-added.nft", Delta([s_web], [Port("web", "10.32.0.7", Local("10.200.0.2"), Remote("10.200.1.3"), Remote("10.200.1.9"))]));

    [Fact]
    public void A_lost_endpoint_is_a_small_change() => Golden.Same("endpoint-removed.nft", Delta([s_web], [Port("web", "10.32.0.7", Local("10.200.0.2"))]));

    [Fact]
    public void A_removed_Service_leaves_nothing() => Golden.Same("service-removed.nft", Delta([s_web], []));

    [Fact]
    public void Nothing_to_do_is_no_script()
    {
        var same = s_web with { NodePort = 0 };

        Assert.Equal("", Delta([s_web], [same]));
    }

    [Fact]
    public void Two_ports_that_claim_one_address_are_settled_by_name_and_the_other_takes_over()
    {
        var a = Port("a", "10.32.0.8", Local("10.200.0.2")) with { ExternalIPs = [IPAddress.Parse("198.51.100.7")] };
        var b = Port("b", "10.32.0.9", Local("10.200.0.3")) with { ExternalIPs = [IPAddress.Parse("198.51.100.7")] };
        var state = NftPlanner.Plan(null, Fragments(b, a), Options).Commit();
        string Owner() => state.Elements[("service-ips", "198.51.100.7 . tcp . 80")][0].Comment;
        Assert.Equal("default/a:http", Owner());

        NftPlanner.Plan(state, Fragments(b), Options).Commit();
        Assert.Equal("default/b:http", Owner());
        Assert.Matches(@"delete element ip kube-proxy service-ips \{[^}]*198\.51\.100\.7 \. tcp \. 80", NftPlanner.Plan(state, Fragments(), Options).Change);
    }

    [Fact]
    public void Names_stay_within_the_kernel_limit_and_differ()
    {
        var label = new string('a', 63);
        var ports = new[] { "x", "y" }.Select(p => Port(label, "10.32.0.7") with { Name = new(label, label, p) }).ToList();

        Assert.All(ports, p => Assert.True(NftNames.Endpoint(p, Local("10.200.0.2")).Length <= 120));
        Assert.NotEqual(NftNames.Service(ports[0]), NftNames.Service(ports[1]));
    }

    [Fact]
    public void Version_6_has_its_own_table()
    {
        var options = new NftOptions { Family = NftFamily.V6 };
        var port = Port("web", "fd00::7", Local("fd00:1::2"));

        Golden.Same("full-v6.nft", NftPlanner.Plan(null, new Dictionary<ServicePortName, NftFragment> { [port.Name] = NftServiceRules.Build(port, options) }, options).Change);
    }
}
