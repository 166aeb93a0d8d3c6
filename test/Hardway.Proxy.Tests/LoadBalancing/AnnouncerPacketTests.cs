using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Hardway.Hosting;
using Hardway.Proxy.LoadBalancing;
using Hardway.Proxy.Nftables;
using Microsoft.Extensions.Logging.Abstractions;
using static Hardway.Proxy.Tests.ProxySamples;

namespace Hardway.Proxy.Tests.LoadBalancing;

/// <summary>
/// Two nodes and a client outside the cluster on one Ethernet segment, all in namespaces: the address is answered by one node at a time, and moves. Needs root.
/// </summary>
public sealed class AnnouncerPacketTests : IAsyncDisposable
{
    private static readonly IPAddress s_address = IPAddress.Parse("10.240.0.200");
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly NetworkNamespace _segment;
    private readonly NetworkNamespace _client;
    private readonly List<TestNode> _nodes = [];
    private readonly AnnouncementView _view;

    public AnnouncerPacketTests()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess || Environment.GetEnvironmentVariable("CI") is not null, "network namespaces need root");
        var id = Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(3)).ToLowerInvariant();
        _segment = new NetworkNamespace($"hwl{id}s");
        _segment.Exec("ip", "link", "add", "seg0", "type", "bridge");
        _segment.Exec("ip", "link", "set", "seg0", "up");
        _client = Join(new NetworkNamespace($"hwl{id}c"), "10.240.0.1");
        var order = AnnouncementCompiler.Order(s_address, ["node-1", "node-2"]).ToList();
        _view = new([new(s_address, "default/web", order)], new Dictionary<string, IPAddress> { ["node-1"] = IPAddress.Parse("10.240.0.81"), ["node-2"] = IPAddress.Parse("10.240.0.82") });
        foreach (var name in order)
        {
            _nodes.Add(new TestNode(name, Join(new NetworkNamespace($"hwl{id}{name[^1]}"), _view.Nodes[name].ToString()), _view.Nodes[name].ToString()));
        }
    }

    /// <summary>A node: its network, a server behind the address, and its announcer.</summary>
    private sealed class TestNode(string name, NetworkNamespace network, string address) : IAnnouncerNetwork, IAsyncDisposable
    {
        private CancellationTokenSource? _running;
        private Task _task = Task.CompletedTask;
        private Socket? _listener;

        public string Name => name;

        public NetworkNamespace Network => network;

        public Socket OpenHeartbeats() => network.Inside(AnnouncerNetwork.Open);

        public string? InterfaceFor(IPAddress wanted, IPAddress? nodeAddress) => network.Inside(() => ArpPort.InterfaceFor(wanted, nodeAddress));

        public ArpPort OpenPort(string device) => network.Inside(() => ArpPort.Open(device));

        public async Task ServeAsync(CancellationToken cancel)
        {
            var table = new NftTable(Options, new RuleCommand("ip", "netns", "exec", network.Name));
            Assert.Null(await table.SyncAsync([Port("web", "10.32.0.7", Local(address)) with { LoadBalancerIPs = [s_address] }], full: true, cancel));
            _listener = network.Inside(() =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.Any, 8080));
                socket.Listen();
                return socket;
            });
            _ = AcceptAsync(_listener);
        }

        public void Announce(AnnouncementView view, Func<bool>? isReady = null)
        {
            _running = new CancellationTokenSource();
            var announcer = new Announcer(name, this, isReady ?? (() => true), new Metrics(), TimeProvider.System, NullLogger.Instance) { View = view };
            _task = announcer.RunAsync(_running.Token);
        }

        public async Task StopAsync()
        {
            await (_running?.CancelAsync() ?? Task.CompletedTask);
            await _task.WaitAsync(TimeSpan.FromSeconds(5));
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            _running?.Dispose();
            _listener?.Dispose();
            network.Dispose();
        }

        private async Task AcceptAsync(Socket listener)
        {
            try
            {
                while (true)
                {
                    using var connection = await listener.AcceptAsync();
                    await connection.SendAsync(System.Text.Encoding.ASCII.GetBytes(name));
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // the test has ended
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }

        _client?.Dispose();
        _segment?.Dispose();
        _stop.Dispose();
    }

    private NetworkNamespace Join(NetworkNamespace member, string address)
    {
        var link = "p" + address.Split('.')[^1];
        _segment.Exec("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", member.Name);
        _segment.Exec("ip", "link", "set", link, "master", "seg0", "up");
        member.Exec("ip", "addr", "add", address + "/24", "dev", "eth0");
        member.Exec("ip", "link", "set", "eth0", "up");
        member.Exec("sysctl", "-qw", "net.ipv4.ip_forward=1");
        return member;
    }

    private Task<string> CallAsync() => NodeNetwork.CallAsync(_client, s_address.ToString(), 80, _stop.Token, seconds: 0.25);

    /// <summary>How long it takes until the address is answered by that node.</summary>
    private async Task<TimeSpan> UntilAnsweredByAsync(string name)
    {
        var watch = Stopwatch.StartNew();
        var answer = "";
        while (watch.Elapsed < TimeSpan.FromSeconds(10))
        {
            answer = await CallAsync();
            if (answer == name)
            {
                return watch.Elapsed;
            }
        }

        throw new TimeoutException($"{name} does not answer for {s_address} after {watch.Elapsed}: {answer}\n{_client.Exec("ip", "neigh")}");
    }

    [Fact]
    public async Task An_address_is_answered_from_outside_by_one_node_and_moves_when_that_node_dies_and_back()
    {
        foreach (var node in _nodes)
        {
            await node.ServeAsync(_stop.Token);
            node.Announce(_view);
        }

        await UntilAnsweredByAsync(_nodes[0].Name);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(_nodes[0].Name, await CallAsync());
        }

        _nodes[0].Network.Exec("ip", "link", "set", "eth0", "down");
        var moved = await UntilAnsweredByAsync(_nodes[1].Name);
        TestContext.Current.SendDiagnosticMessage($"moved after {moved.TotalMilliseconds:F0} ms");
        Assert.True(moved < TimeSpan.FromSeconds(2), $"moved after {moved}");

        _nodes[0].Network.Exec("ip", "link", "set", "eth0", "up");
        await UntilAnsweredByAsync(_nodes[0].Name);
    }

    [Fact]
    public async Task A_node_that_stops_in_good_order_hands_over_at_once_and_one_that_is_not_ready_does_not_answer()
    {
        var ready = true;
        foreach (var node in _nodes)
        {
            await node.ServeAsync(_stop.Token);
        }

        _nodes[0].Announce(_view);
        _nodes[1].Announce(_view, () => ready);
        await UntilAnsweredByAsync(_nodes[0].Name);
        await _nodes[0].StopAsync();
        Assert.True(await UntilAnsweredByAsync(_nodes[1].Name) < TimeSpan.FromSeconds(1));

        // Caches may keep the address for a while: a fresh question is what counts.
        ready = false;
        var watch = Stopwatch.StartNew();
        string answer;
        do
        {
            _client.Exec("ip", "neigh", "flush", "dev", "eth0");
            answer = await CallAsync();
        }
        while (answer == _nodes[1].Name && watch.Elapsed < TimeSpan.FromSeconds(5));
        Assert.NotEqual(_nodes[1].Name, answer);
    }
}
