using Hardway.Proxy.Nftables;

namespace Hardway.Proxy.Tests;

public sealed class NftPacketTests() : RulePacketTests(command => new NftTable(ProxySamples.Options, command))
{
    private protected override string Dump() => Net.Node.Exec("nft", "list", "ruleset");

    [Fact]
    public async Task A_port_that_the_Service_does_not_have_is_refused()
    {
        await SyncAsync(ProxySamples.Port("web", "10.32.0.7", ProxySamples.Local("10.200.0.2")));

        Assert.Equal("ConnectionRefused", await NodeNetwork.CallAsync(Net.Client, "10.32.0.7", 81, Stop));
    }

    [Fact]
    public async Task Version_6_works_from_outside_from_the_node_from_a_Pod_to_itself_and_by_node_port()
    {
        var options = new NftOptions { Family = NftFamily.V6, IfLocal = "ip6 saddr fd00:200::/56", IfNotLocal = "ip6 saddr != fd00:200::/56" };
        var table = new NftTable(options, new RuleCommand("ip", "netns", "exec", Net.Node.Name));
        var web = ProxySamples.Port("web", "fd00:32::7", ProxySamples.Local("fd00:200::2")) with { NodePort = 30080 };
        Assert.Null(await table.SyncAsync([web], full: true, Stop));

        Assert.Equal("a fd00:200::1", await NodeNetwork.CallAsync(Net.Client, "fd00:32::7", 80, Stop));
        Assert.Equal("a fd00:200::1", await NodeNetwork.CallAsync(Net.Node, "fd00:32::7", 80, Stop));
        Assert.Equal("a fd00:200::1", await NodeNetwork.CallAsync(Net.PodA, "fd00:32::7", 80, Stop));
        Assert.Equal("a fd00:200::3", await NodeNetwork.CallAsync(Net.PodB, "fd00:32::7", 80, Stop));
        Assert.Equal("a fd00:200::1", await NodeNetwork.CallAsync(Net.Client, "fd00:2::1", 30080, Stop));
        Assert.Null(await table.SyncAsync([web with { ClusterEndpoints = [], LocalEndpoints = [] }], full: false, Stop));
        Assert.Equal("ConnectionRefused", await NodeNetwork.CallAsync(Net.Client, "fd00:32::7", 80, Stop));
    }

    [Fact]
    public async Task Every_protocol_and_number_of_endpoints_is_taken_by_the_kernel()
    {
        var many = Enumerable.Range(1, 300).Select(i => ProxySamples.Remote($"10.201.{i / 250}.{1 + (i % 250)}")).ToArray();
        var ports = from protocol in Enum.GetValues<Model.L4Protocol>()
            from count in (int[])[1, 2, 300]
            select ProxySamples.Port($"{protocol}-{count}", $"10.32.{(int)protocol}.{1 + (count % 200)}", many[..count]) with { Protocol = protocol, NodePort = 30000 + count, ExternalIPs = [System.Net.IPAddress.Parse($"198.51.100.{1 + (count % 200)}")] };
        await SyncAsync([.. ports]);
        await SyncAsync([.. ports.Select(p => p with { ClusterEndpoints = [.. p.ClusterEndpoints.Skip(1)] })]);

        Assert.Contains("dnat ip to ip daddr . meta l4proto . udp dport . numgen random mod 299 map @endpoints", Dump(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chance_is_fair()
    {
        await SyncAsync(ProxySamples.Port("web", "10.32.0.7", ProxySamples.Local("10.200.0.2"), ProxySamples.Local("10.200.0.3")));
        var count = 0;
        for (var i = 0; i < 200; i++)
        {
            count += (await NodeNetwork.CallAsync(Net.Client, "10.32.0.7", 80, Stop)).StartsWith('a') ? 1 : 0;
        }

        Assert.InRange(count, 60, 140);
    }

    [Fact]
    public async Task Rules_of_the_other_mode_may_be_there_until_ours_are()
    {
        var web = ProxySamples.Port("web", "10.32.0.7", ProxySamples.Local("10.200.0.2"));
        var iptables = new Iptables.IptablesTable(IptablesPacketTests.Options, new RuleCommand("ip", "netns", "exec", Net.Node.Name));
        Assert.Null(await iptables.SyncAsync([web], full: true, Stop));
        await SyncAsync(web);
        Assert.Equal("a 10.200.0.1", await NodeNetwork.CallAsync(Net.Client, "10.32.0.7", 80, Stop));

        Assert.Null(await iptables.RemoveAsync(Stop));
        Assert.Equal("a 10.200.0.1", await NodeNetwork.CallAsync(Net.Client, "10.32.0.7", 80, Stop));
    }
}
