using Hardway.Proxy.Model;
using static Hardway.Proxy.Tests.NodeNetwork;
using static Hardway.Proxy.Tests.ProxySamples;

namespace Hardway.Proxy.Tests;

/// <summary>What every kind of rules must do, with real packets in network namespaces. Needs root.</summary>
public abstract class RulePacketTests : IDisposable
{
    private protected CancellationToken Stop => _stop.Token;

    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly NodeNetwork _net;
    private readonly IRuleTable _table;
    private readonly Func<IRuleTable> _make;
    private readonly List<Task> _servers;
    private bool _first = true;

    private static readonly ServicePort s_web = Port("web", "10.32.0.7", Local("10.200.0.2"), Local("10.200.0.3"));

    private protected RulePacketTests(Func<RuleCommand, IRuleTable> make)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess || Environment.GetEnvironmentVariable("CI") is not null, "network namespaces need root");
        _net = new NodeNetwork();
        _make = () => make(new RuleCommand("ip", "netns", "exec", _net.Node.Name));
        _table = _make();
        _servers = [_net.ServeTcpAsync(_net.PodA, "a", 8080, _stop.Token), _net.ServeTcpAsync(_net.PodB, "b", 8080, _stop.Token)];
    }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _stop.Cancel();
        _net.Dispose();
        _stop.Dispose();
    }

    private protected NodeNetwork Net => _net;

    /// <summary>All rules in the node, in a form that is the same for the same rules.</summary>
    private protected abstract string Dump();

    private protected async Task SyncAsync(params ServicePort[] ports)
    {
        Assert.Null(await _table.SyncAsync(ports, full: _first, _stop.Token));
        _first = false;
    }

    private async Task<List<string>> CallsAsync(NetworkNamespace from, string address, int port, int times)
    {
        var answers = new List<string>();
        for (var i = 0; i < times; i++)
        {
            answers.Add(await CallAsync(from, address, port, _stop.Token));
        }

        return answers;
    }

    [Fact]
    public async Task A_client_outside_reaches_both_Pods_by_the_cluster_IP_and_is_masqueraded()
    {
        await SyncAsync(s_web);

        Assert.Equal(["a 10.200.0.1", "b 10.200.0.1"], (await CallsAsync(_net.Client, "10.32.0.7", 80, 30)).Distinct().Order());
    }

    [Fact]
    public async Task The_node_itself_reaches_the_cluster_IP()
    {
        await SyncAsync(s_web);

        Assert.Equal(["a 10.200.0.1", "b 10.200.0.1"], (await CallsAsync(_net.Node, "10.32.0.7", 80, 30)).Distinct().Order());
    }

    [Fact]
    public async Task A_Pod_reaches_itself_through_its_Service()
    {
        await SyncAsync(Port("web", "10.32.0.7", Local("10.200.0.2")));

        Assert.Equal("a 10.200.0.1", await CallAsync(_net.PodA, "10.32.0.7", 80, _stop.Token));
    }

    [Fact]
    public async Task A_node_port_answers_on_every_address_of_the_node_and_not_on_loopback()
    {
        await SyncAsync(s_web with { NodePort = 30080 });

        Assert.StartsWith("a ", (await CallsAsync(_net.Client, "192.0.2.1", 30080, 30)).Order().First());
        Assert.EndsWith("10.200.0.1", await CallAsync(_net.Client, "10.200.0.1", 30080, _stop.Token));
        Assert.EndsWith(" 10.200.0.1", await CallAsync(_net.Node, "192.0.2.1", 30080, _stop.Token));
        Assert.Equal("ConnectionRefused", await CallAsync(_net.Node, "127.0.0.1", 30080, _stop.Token));
    }

    [Fact]
    public async Task External_policy_Local_shows_the_Pod_the_real_client()
    {
        await SyncAsync(s_web with { NodePort = 30080, ExternalLocal = true });

        Assert.EndsWith(" 192.0.2.2", await CallAsync(_net.Client, "192.0.2.1", 30080, _stop.Token));
    }

    [Fact]
    public async Task External_policy_Local_without_a_local_Pod_is_silent()
    {
        await SyncAsync(Port("web", "10.32.0.7", Remote("10.200.0.2")) with { NodePort = 30080, ExternalLocal = true });

        Assert.Equal("silence", await CallAsync(_net.Client, "192.0.2.1", 30080, _stop.Token, seconds: 0.5));
        Assert.StartsWith("a ", await CallAsync(_net.Node, "192.0.2.1", 30080, _stop.Token));
    }

    [Fact]
    public async Task Affinity_sends_a_client_to_one_Pod()
    {
        await SyncAsync(s_web with { Affinity = TimeSpan.FromMinutes(1) });

        Assert.Single((await CallsAsync(_net.Client, "10.32.0.7", 80, 20)).Distinct());
    }

    [Fact]
    public async Task Without_endpoints_the_connection_is_refused_at_once()
    {
        await SyncAsync(Port("web", "10.32.0.7") with { NodePort = 30080 });

        Assert.Equal("ConnectionRefused", await CallAsync(_net.Client, "10.32.0.7", 80, _stop.Token));
        Assert.Equal("ConnectionRefused", await CallAsync(_net.Client, "192.0.2.1", 30080, _stop.Token));
    }

    [Fact]
    public async Task Source_ranges_of_a_load_balancer_keep_others_out()
    {
        var lb = s_web with { LoadBalancerIPs = [System.Net.IPAddress.Parse("203.0.113.7")], SourceRanges = [System.Net.IPNetwork.Parse("198.51.100.0/24")] };

        await SyncAsync(lb);
        Assert.Equal("silence", await CallAsync(_net.Client, "203.0.113.7", 80, _stop.Token, seconds: 0.5));
        await SyncAsync(lb with { SourceRanges = [System.Net.IPNetwork.Parse("192.0.2.0/24")] });
        Assert.EndsWith(" 10.200.0.1", await CallAsync(_net.Client, "203.0.113.7", 80, _stop.Token));
    }

    [Fact]
    public async Task Every_change_is_a_delta_and_the_last_leaves_only_the_fixed_part()
    {
        await SyncAsync();
        var empty = Dump();
        await SyncAsync(s_web);
        await SyncAsync(s_web with { Affinity = TimeSpan.FromMinutes(1), NodePort = 30080 });
        await SyncAsync(s_web with { Affinity = TimeSpan.FromMinutes(2), NodePort = 30080 }, Port("other", "10.32.0.8", Local("10.200.0.3")));
        await SyncAsync(Port("web", "10.32.0.7"), Port("other", "10.32.0.8", Local("10.200.0.3"), Local("10.200.0.2")) with { ExternalLocal = true, NodePort = 30081 });
        Assert.StartsWith("a ", (await CallsAsync(_net.Client, "10.32.0.8", 80, 30)).Order().First());
        await SyncAsync();

        Assert.Equal(empty, Dump());
    }

    [Fact]
    public async Task A_new_run_takes_over_without_breaking_a_connection()
    {
        await SyncAsync(s_web);
        using var socket = _net.Client.Inside(() => new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp));
        await socket.ConnectAsync(System.Net.IPAddress.Parse("10.32.0.7"), 80, _stop.Token);
        var again = _make();

        Assert.Null(await again.SyncAsync([s_web], full: true, _stop.Token));

        Assert.InRange(await socket.ReceiveAsync(new byte[100], _stop.Token), 1, 100);
        Assert.Null(await again.RemoveAsync(_stop.Token));
        Assert.DoesNotContain("kube", Dump(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Rules_that_somebody_flushed_are_missed()
    {
        await SyncAsync(s_web);
        Assert.True(await _table.IsPresentAsync(_stop.Token));
        _net.Node.Exec("nft", "flush", "ruleset");

        Assert.False(await _table.IsPresentAsync(_stop.Token));
    }
}
