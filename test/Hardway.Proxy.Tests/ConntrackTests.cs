using System.Net;
using System.Net.Sockets;
using Hardway.Proxy.Conntrack;
using Hardway.Proxy.Model;
using Hardway.Proxy.Nftables;
using static Hardway.Proxy.Tests.ProxySamples;

namespace Hardway.Proxy.Tests;

public sealed class ConntrackTests
{
    private static ServicePort Dns(params Endpoint[] endpoints) => Port("dns", "10.32.0.10", endpoints) with { Protocol = L4Protocol.Udp, Port = 53, NodePort = 30053 };

    private static ConntrackFlow Flow(string destination, string reply) => new(IPEndPoint.Parse(destination), IPEndPoint.Parse(reply), default);

    [Fact]
    public void Flows_to_endpoints_of_before_are_stale_and_those_of_others_are_left_alone()
    {
        ConntrackFlow[] flows =
        [
            Flow("10.32.0.10:53", "10.200.0.2:53"), // current
            Flow("10.32.0.10:53", "10.200.0.9:53"), // an endpoint of before
            Flow("10.32.0.10:53", "10.32.0.10:53"), // sent when there was no endpoint
            Flow("192.0.2.1:30053", "10.200.0.9:53"), // by node port
            Flow("198.51.100.1:30053", "198.51.100.1:30053"), // somebody else's port
            Flow("8.8.8.8:53", "8.8.8.8:53"),
        ];

        var stale = StaleFlows.Find(flows, [Dns(Local("10.200.0.2", 53))], new HashSet<IPAddress> { IPAddress.Parse("192.0.2.1") });

        Assert.Equal([flows[1], flows[2], flows[3]], stale);
    }

    [Fact]
    public async Task The_kernels_table_is_listed_and_flows_are_deleted_from_it()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess || Environment.GetEnvironmentVariable("CI") is not null, "network namespaces need root");
        using var net = new NodeNetwork();
        var table = new NftTable(Options, new RuleCommand("ip", "netns", "exec", net.Node.Name));
        Assert.Null(await table.SyncAsync([Dns(Local("10.200.0.2", 53))], full: true, TestContext.Current.CancellationToken));
        using var client = net.Client.Inside(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        client.SendTo([1], new IPEndPoint(IPAddress.Parse("10.32.0.10"), 53));

        List<ConntrackFlow> List() => net.Node.Inside(() => ConntrackTable.ListUdp(ConntrackTable.FamilyV4));
        Assert.True(SpinWait.SpinUntil(() => List().Count > 0, TimeSpan.FromSeconds(3)), "the packet is tracked");
        var flow = Assert.Single(List());
        Assert.Equal(("10.32.0.10:53", "10.200.0.2:53"), (flow.Destination.ToString(), flow.ReplySource.ToString()));

        var stale = StaleFlows.Find([flow], [Dns(Local("10.200.0.3", 53))], new HashSet<IPAddress>());
        Assert.True(net.Node.Inside(() =>
        {
            ConntrackTable.Delete(ConntrackTable.FamilyV4, stale);
            ConntrackTable.Delete(ConntrackTable.FamilyV4, stale); // gone already: no error
            return true;
        }));
        Assert.Empty(List());
    }

    [Fact]
    public void Truncated_or_random_answers_of_the_kernel_are_no_harm()
    {
        var random = new Random(3);
        for (var i = 0; i < 5000; i++)
        {
            var bytes = new byte[random.Next(100)];
            random.NextBytes(bytes);
            if (bytes.Length > 6)
            {
                (bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]) = ((byte)bytes.Length, 0, 0, 0, 0, 1);
            }

            ConntrackMessages.Read(bytes, [], out _);
        }
    }
}
