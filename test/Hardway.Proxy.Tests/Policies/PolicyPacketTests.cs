using Hardway.Api.Networking.V1;
using Hardway.Proxy.Nftables;
using Hardway.Proxy.Policies;
using static Hardway.Proxy.Tests.NodeNetwork;
using static Hardway.Proxy.Tests.Policies.PolicySamples;

namespace Hardway.Proxy.Tests.Policies;

/// <summary>
/// NetworkPolicy with real packets: Pods a and b on one bridge, the outside client as a Pod of another node. Each Pod serves on 8080 ("web") and 9090
/// ("admin"). Needs root.
/// </summary>
public sealed class PolicyPacketTests : IDisposable
{
    private const string A = "10.200.0.2", B = "10.200.0.3", Outside = "192.0.2.2", A6 = "fd00:200::2", Silence = "silence";
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly NodeNetwork _net;
    private readonly RuleCommand _nft;
    private readonly PolicyTable _table;
    private readonly PolicyIndex _index = Index();
    private readonly List<Task> _servers = [];

    public PolicyPacketTests()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess || Environment.GetEnvironmentVariable("CI") is not null, "network namespaces need root");
        _net = new NodeNetwork();
        _nft = new RuleCommand("ip", "netns", "exec", _net.Node.Name);
        _table = new PolicyTable(_nft);
        foreach (var (where, name) in ((NetworkNamespace, string)[])[(_net.PodA, "a"), (_net.PodB, "b"), (_net.Client, "c")])
        {
            _servers.Add(_net.ServeTcpAsync(where, name, 8080, _stop.Token));
            _servers.Add(_net.ServeTcpAsync(where, name, 9090, _stop.Token));
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _net.Dispose();
        _stop.Dispose();
    }

    private async Task SyncAsync(params NetworkPolicy[] policies)
    {
        foreach (var policy in policies)
        {
            Put(_index, policy);
        }

        Assert.Null(await _table.SyncAsync(_index.Build(), _stop.Token));
    }

    private async Task<string> TryAsync(NetworkNamespace from, string address, int port = 8080)
    {
        var answer = await CallAsync(from, address, port, _stop.Token, seconds: 0.4);
        return answer.Length > 1 && answer[1] == ' ' ? "ok" : answer;
    }

    [Fact]
    public async Task A_Pod_that_nothing_may_enter_still_answers_its_node_and_itself_and_gets_its_replies()
    {
        await SyncAsync(Policy("{podSelector: {matchLabels: {app: a}}, policyTypes: [Ingress]}"));

        Assert.Equal(Silence, await TryAsync(_net.PodB, A)); // over the bridge
        Assert.Equal(Silence, await TryAsync(_net.Client, A)); // through the node
        Assert.Equal("ok", await TryAsync(_net.Node, A)); // as the kubelet probes
        Assert.Equal("ok", await TryAsync(_net.PodA, B)); // out is free, and the answer comes back
        Assert.Equal("ok", await TryAsync(_net.PodA, Outside));
        Assert.Equal("ok", await TryAsync(_net.Client, B)); // not selected
    }

    [Fact]
    public async Task A_Pod_that_may_not_go_out_can_still_be_reached()
    {
        await SyncAsync(Policy("{podSelector: {matchLabels: {app: a}}, policyTypes: [Egress]}"));

        Assert.Equal(Silence, await TryAsync(_net.PodA, B));
        Assert.Equal(Silence, await TryAsync(_net.PodA, Outside));
        Assert.Equal("ok", await TryAsync(_net.PodB, A));
        Assert.Equal("ok", await TryAsync(_net.Client, A));
        Assert.Equal("ok", await TryAsync(_net.PodA, A));
    }

    [Fact]
    public async Task Peers_are_Pods_by_their_labels_and_namespaces_and_a_change_of_labels_is_felt()
    {
        await SyncAsync(Policy("{podSelector: {matchLabels: {app: a}}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: red}}, podSelector: {matchLabels: {app: c}}}]}]}"));
        Assert.Equal("ok", await TryAsync(_net.Client, A));
        Assert.Equal(Silence, await TryAsync(_net.PodB, A));

        Put(_index, Pod("c", "{app: other}", "192.0.2.2", "other", "node-1"));
        Put(_index, Pod("b", "{app: c}", "10.200.0.3"));
        _index.SetNamespace("default", new Dictionary<string, string> { ["team"] = "red" });
        await SyncAsync();

        Assert.Equal(Silence, await TryAsync(_net.Client, A));
        Assert.Equal("ok", await TryAsync(_net.PodB, A));
    }

    [Fact]
    public async Task Named_ports_and_ranges_open_only_themselves()
    {
        await SyncAsync(Policy("{podSelector: {matchLabels: {app: a}}, ingress: [{ports: [{port: web}]}]}", "named"), Policy("{podSelector: {matchLabels: {app: b}}, ingress: [{ports: [{port: 9000, endPort: 9100}]}]}", "range"));

        Assert.Equal("ok", await TryAsync(_net.Client, A, 8080));
        Assert.Equal(Silence, await TryAsync(_net.Client, A, 9090));
        Assert.Equal(Silence, await TryAsync(_net.PodA, B, 8080));
        Assert.Equal("ok", await TryAsync(_net.PodA, B, 9090));
    }

    [Fact]
    public async Task Egress_by_named_port_asks_the_Pod_at_the_other_end()
    {
        await SyncAsync(Policy("{podSelector: {matchLabels: {app: a}}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}], ports: [{port: admin}]}]}"));

        Assert.Equal("ok", await TryAsync(_net.PodA, B, 9090));
        Assert.Equal(Silence, await TryAsync(_net.PodA, B, 8080));
        Assert.Equal(Silence, await TryAsync(_net.PodA, Outside, 9090));
    }

    [Fact]
    public async Task Blocks_let_in_what_they_name_without_their_exceptions()
    {
        await SyncAsync(
            Policy("{podSelector: {matchLabels: {app: a}}, ingress: [{from: [{ipBlock: {cidr: 192.0.0.0/8}}]}]}", "block"),
            Policy("{podSelector: {matchLabels: {app: b}}, ingress: [{from: [{ipBlock: {cidr: 192.0.0.0/8, except: [192.0.2.0/30]}}]}]}", "except"));

        Assert.Equal("ok", await TryAsync(_net.Client, A));
        Assert.Equal(Silence, await TryAsync(_net.PodB, A));
        Assert.Equal(Silence, await TryAsync(_net.Client, B));
    }

    [Fact]
    public async Task Policies_add_up_and_both_ends_must_agree()
    {
        await SyncAsync(
            Policy("{podSelector: {}, policyTypes: [Ingress, Egress]}", "deny"),
            Policy("{podSelector: {matchLabels: {app: b}}, ingress: [{from: [{podSelector: {}}]}]}", "into-b"));
        Assert.Equal(Silence, await TryAsync(_net.PodA, B)); // b agrees, a does not

        await SyncAsync(Policy("{podSelector: {matchLabels: {app: a}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: b}}}]}]}", "out-of-a"));
        Assert.Equal("ok", await TryAsync(_net.PodA, B));
        Assert.Equal(Silence, await TryAsync(_net.PodB, A));
    }

    [Fact]
    public async Task Rules_hold_for_version_6_over_the_bridge_and_through_the_node()
    {
        await SyncAsync(Policy("{podSelector: {matchLabels: {app: a}}, ingress: [{from: [{podSelector: {matchLabels: {app: b}}}], ports: [{port: web}]}]}"));

        Assert.Equal("ok", await TryAsync(_net.PodB, A6));
        Assert.Equal(Silence, await TryAsync(_net.PodB, A6, 9090));
        Assert.Equal(Silence, await TryAsync(_net.Client, A6));
        Assert.Equal("ok", await TryAsync(_net.Node, A6));
    }

    [Fact]
    public async Task Traffic_through_a_Service_is_judged_by_the_Pods_at_its_ends()
    {
        var services = new NftTable(ProxySamples.Options, _nft);
        Assert.Null(await services.SyncAsync([ProxySamples.Port("web", "10.32.0.7", ProxySamples.Local(A))], full: true, _stop.Token));
        await SyncAsync(Policy("{podSelector: {matchLabels: {app: a}}, policyTypes: [Ingress, Egress], ingress: [{from: [{podSelector: {matchLabels: {app: b}}}]}]}"));

        Assert.Equal("ok", await TryAsync(_net.PodB, "10.32.0.7", 80));
        Assert.Equal(Silence, await TryAsync(_net.Client, "10.32.0.7", 80));
        Assert.Equal("ok", await TryAsync(_net.PodA, "10.32.0.7", 80)); // to itself
    }

    [Fact]
    public async Task A_connection_that_was_allowed_goes_on_when_the_rules_change_and_are_written_anew()
    {
        using var socket = _net.Client.Inside(() => new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp));
        await SyncAsync(Policy("{podSelector: {matchLabels: {app: a}}, ingress: [{ports: [{port: 8080}]}]}"));
        await socket.ConnectAsync(System.Net.IPAddress.Parse(A), 8080, _stop.Token);
        await SyncAsync(Policy("{podSelector: {matchLabels: {app: a}}, policyTypes: [Ingress]}"));
        Assert.Null(await new PolicyTable(_nft).SyncAsync(_index.Build(), _stop.Token));

        Assert.InRange(await socket.ReceiveAsync(new byte[100], _stop.Token), 1, 100);
        Assert.Equal(Silence, await TryAsync(_net.Client, A));
    }

    [Fact]
    public async Task Every_kind_of_rule_is_taken_by_the_kernel_and_the_last_policy_leaves_no_table()
    {
        await SyncAsync(Policy("{podSelector: {}, ingress: [{from: [{podSelector: {}}, {namespaceSelector: {}}, {ipBlock: {cidr: 0.0.0.0/0}}, {ipBlock: {cidr: '::/0', except: ['fd00::/8']}}], ports: [{port: web}, {port: 1, endPort: 65535}, {protocol: UDP}, {protocol: SCTP, port: 9}]}], egress: [{}]}", "all"));
        Assert.True(await _table.IsPresentAsync(_stop.Token));
        await SyncAsync(Policy("{podSelector: {matchLabels: {app: a}}}", "one"));
        _index.SetPolicy("default", "all", null);
        await SyncAsync();
        Assert.DoesNotContain("peer-", _net.Node.Exec("nft", "list", "table", "inet", "hardway-network-policy"), StringComparison.Ordinal);
        _index.SetPolicy("default", "one", null);
        await SyncAsync();

        Assert.Equal("", _net.Node.Exec("nft", "list", "ruleset").Trim());
    }

    [Fact]
    public async Task Rules_that_somebody_flushed_are_missed_and_come_back_whole()
    {
        await SyncAsync(Policy("{podSelector: {matchLabels: {app: a}}, policyTypes: [Ingress]}"));
        _net.Node.Exec("nft", "flush", "ruleset");
        Assert.False(await _table.IsPresentAsync(_stop.Token));
        await SyncAsync();

        Assert.Equal(Silence, await TryAsync(_net.Client, A));
    }
}
