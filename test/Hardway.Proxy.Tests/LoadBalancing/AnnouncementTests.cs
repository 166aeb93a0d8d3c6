using System.Net;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.Proxy.LoadBalancing;
using Microsoft.Extensions.Time.Testing;

namespace Hardway.Proxy.Tests.LoadBalancing;

public sealed class AnnouncementTests
{
    private static readonly IPAddress s_address = IPAddress.Parse("10.240.0.200");

    private static Node Node(int number, string ready = "True", string labels = "{}") => ApiJson.Deserialize<Node>(YamlJson.ToJson(
        $"metadata: {{name: node-{number}, labels: {labels}}}\nstatus: {{conditions: [{{type: Ready, status: '{ready}'}}], addresses: [{{type: InternalIP, address: 10.240.0.8{number}}}]}}"));

    private static Service Service(string spec = "type: LoadBalancer", string condition = AnnouncementCompiler.Condition) => ApiJson.Deserialize<Service>(YamlJson.ToJson(
        $"metadata: {{name: web, namespace: default}}\nspec: {{{spec}}}\nstatus: {{loadBalancer: {{ingress: [{{ip: 10.240.0.200}}]}}, conditions: [{{type: {condition}, status: 'True'}}]}}"));

    private static AnnouncementView View(Service service, string endpoints, params Node[] nodes) =>
        AnnouncementCompiler.Compile([service], _ => [ApiJson.Deserialize<EndpointSlice>(YamlJson.ToJson($"addressType: IPv4\nendpoints: {endpoints}"))], nodes);

    [Fact]
    public void Three_nodes_watch_each_other_for_an_address_and_the_first_that_is_alive_answers()
    {
        var view = View(Service(), "[]", Node(0), Node(1), Node(2), Node(3), Node(4));
        var order = Assert.Single(view.Addresses).Nodes;

        Assert.Equal(AnnouncementCompiler.Order(s_address, view.Nodes.Keys).Take(3), order);
        Assert.Equal(order.Skip(1), view.PeersOf(order[0]));
        Assert.Single(view.OwnedBy(order[0], _ => true));
        Assert.Empty(view.OwnedBy(order[1], _ => true));
        Assert.Single(view.OwnedBy(order[1], n => n != order[0]));
        Assert.Empty(view.OwnedBy(order[2], n => n != order[0]));
        Assert.Empty(view.OwnedBy("node-of-no-concern", _ => false));
    }

    [Fact]
    public void Addresses_are_spread_and_a_node_that_goes_moves_only_its_own()
    {
        string[] nodes = ["a", "b", "c", "d"];
        var addresses = Enumerable.Range(1, 200).Select(i => new IPAddress([10, 0, 0, (byte)i])).ToList();
        var before = addresses.ConvertAll(a => AnnouncementCompiler.Order(a, nodes).First());
        var after = addresses.ConvertAll(a => AnnouncementCompiler.Order(a, nodes.Where(n => n != "b")).First());

        Assert.All(nodes, n => Assert.InRange(before.Count(b => b == n), 25, 75));
        Assert.All(before.Zip(after), p => Assert.True(p.First == "b" || p.First == p.Second));
    }

    [Fact]
    public void Nodes_that_are_not_ready_or_excluded_do_not_answer()
    {
        var view = View(Service(), "[]", Node(0, "False"), Node(1, labels: "{node.kubernetes.io/exclude-from-external-load-balancers: ''}"), Node(2));

        Assert.Equal(["node-2"], Assert.Single(view.Addresses).Nodes);
    }

    [Fact]
    public void With_policy_Local_only_nodes_with_an_endpoint_answer()
    {
        var view = View(
            Service("type: LoadBalancer, externalTrafficPolicy: Local"),
            "[{nodeName: node-1}, {nodeName: node-2, conditions: {ready: false}}, {nodeName: node-3, conditions: {ready: false, serving: true, terminating: true}}]",
            Node(0), Node(1), Node(2), Node(3));

        Assert.Equal(["node-1", "node-3"], Assert.Single(view.Addresses).Nodes.Order());
    }

    [Fact]
    public void Addresses_that_somebody_else_gave_are_left_to_them()
    {
        Assert.Empty(View(Service(condition: "LoadBalancerReady"), "[]", Node(0)).Addresses);
        Assert.Empty(View(Service("type: ClusterIP"), "[]", Node(0)).Addresses);
    }

    [Fact]
    public void A_peer_is_alive_until_its_heartbeats_end_or_it_says_that_it_leaves()
    {
        var time = new FakeTimeProvider();
        var peers = new PeerLiveness(time, TimeSpan.FromSeconds(1));
        peers.Expect(["a", "b"]);
        Assert.True(peers.IsAlive("a")); // not heard yet, but it could not have been
        time.Advance(TimeSpan.FromSeconds(0.9));
        peers.Heard("a", leaving: false);
        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.True(peers.IsAlive("a"));
        Assert.False(peers.IsAlive("b"));
        peers.Heard("a", leaving: true);
        Assert.False(peers.IsAlive("a"));
        peers.Heard("a", leaving: false);
        Assert.True(peers.IsAlive("a"));
        peers.Expect(["b"]);
        peers.Heard("a", leaving: false);
        Assert.False(peers.IsAlive("a")); // a stranger
    }

    [Fact]
    public void Heartbeats_are_read_as_they_were_written_and_anything_else_is_refused()
    {
        Assert.True(Heartbeat.TryRead(Heartbeat.Write("node-0", leaving: true), out var node, out var leaving));
        Assert.Equal(("node-0", true), (node, leaving));
        Assert.False(Heartbeat.TryRead("HWLB"u8, out _, out _));
        Assert.False(Heartbeat.TryRead([.. "HWLB"u8, 2, 0, 65], out _, out _));
        var random = new Random(5);
        for (var i = 0; i < 1000; i++)
        {
            var bytes = new byte[random.Next(300)];
            random.NextBytes(bytes);
            Heartbeat.TryRead(bytes, out _, out _);
            ArpPacket.Read(bytes);
        }
    }

    [Fact]
    public void An_ARP_request_is_answered_to_who_asked()
    {
        byte[] asker = [2, 0, 0, 0, 0, 1], mine = [2, 0, 0, 0, 0, 9];
        var request = new ArpPacket(ArpPacket.Request, asker, IPAddress.Parse("10.240.0.1"), new byte[6], s_address);
        var frame = request.Answer(mine);
        var answer = ArpPacket.Read(frame)!.Value;

        Assert.Equal(asker, frame[..6]);
        Assert.Equal(mine, frame[6..12]);
        Assert.Equal((ArpPacket.Reply, s_address, request.Sender), (answer.Operation, answer.Sender, answer.Target));
        Assert.Equal((Convert.ToHexString(mine), Convert.ToHexString(asker)), (Convert.ToHexString(answer.SenderMac), Convert.ToHexString(answer.TargetMac)));
        var told = ArpPacket.Read(ArpPacket.Announcement(mine, s_address, ArpPacket.Request))!.Value;
        Assert.Equal((told.Sender, told.Target), (s_address, s_address));
    }
}
