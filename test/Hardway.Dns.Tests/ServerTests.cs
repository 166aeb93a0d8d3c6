using System.Net;
using System.Net.Sockets;
using Hardway.Dns.Forwarding;
using Hardway.Dns.Records;
using Hardway.Dns.Serving;
using Hardway.Dns.Wire;
using Hardway.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hardway.Dns.Tests;

/// <summary>Two real servers on loopback ports: the cluster's, and one "elsewhere" that it forwards to.</summary>
public sealed class ServerTests : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly List<Task> _running = [];
    private readonly List<IDisposable> _servers = [];
    private ClusterIndex _elsewhere = ClusterIndex.Empty.WithNamespace("org", true);
    private ClusterIndex _cluster = ClusterIndex.Empty.WithNamespace("default", true);
    private bool _synced = true;
    private Forwarder? _forwarder;

    private static readonly DnsName s_cluster = DnsName.Parse("cluster.local");
    private static readonly DnsName s_other = DnsName.Parse("elsewhere.test");

    private IPEndPoint Start(DnsName domain, Func<ClusterIndex> index, params IPEndPoint[] upstreams)
    {
        var metrics = new DnsMetrics(new Metrics());
        _forwarder = new Forwarder(upstreams, new AnswerCache(TimeProvider.System), metrics);
        var handler = new QueryHandler(new ClusterZone(domain, 5), index, () => _synced, _forwarder, metrics, TimeProvider.System);
        var udp = new UdpServer(new IPEndPoint(IPAddress.Loopback, 0), handler, NullLogger.Instance);
        var tcp = new TcpServer(udp.LocalEndPoint, handler, NullLogger.Instance);
        _servers.AddRange([udp, tcp]);
        _running.AddRange([udp.RunAsync(_stop.Token), tcp.RunAsync(_stop.Token)]);
        return udp.LocalEndPoint;
    }

    private IPEndPoint StartBoth()
    {
        var service = new ServiceRecord(new("org", "example")) { ClusterIPs = [IPAddress.Parse("192.0.2.1")] };
        _elsewhere = _elsewhere.WithService(service.Key, ServiceZone.Build(service, [], s_other, 5));
        var other = Start(s_other, () => _elsewhere);
        foreach (var own in new[]
        {
            new ServiceRecord(new("default", "web")) { ClusterIPs = [IPAddress.Parse("10.32.0.7")] },
            new ServiceRecord(new("default", "out")) { ExternalName = "example.org.svc.elsewhere.test" },
            new ServiceRecord(new("default", "in")) { ExternalName = "web.default.svc.cluster.local" },
            new ServiceRecord(new("default", "round")) { ExternalName = "round.default.svc.cluster.local" },
        })
        {
            _cluster = _cluster.WithService(own.Key, ServiceZone.Build(own, [], s_cluster, 5));
        }

        var many = Enumerable.Range(0, 200).Select(i => new EndpointRecord(new IPAddress([10, 200, 0, (byte)i]), null, []));
        var headless = new ServiceRecord(new("default", "many")) { Headless = true };
        _cluster = _cluster.WithService(headless.Key, ServiceZone.Build(headless, many, s_cluster, 5));
        return Start(s_cluster, () => _cluster, other);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running);
        _servers.ForEach(s => s.Dispose());
        _stop.Dispose();
    }

    private async Task<DnsMessage> AskAsync(IPEndPoint server, string name, ushort type = DnsType.A)
    {
        var query = new DnsMessage { RecursionDesired = true, Questions = [new(DnsName.Parse(name), type, DnsClass.In)] };
        return await Upstream.AskAsync(server, query, _stop.Token);
    }

    private async Task<DnsMessage> RawAsync(IPEndPoint server, byte[] bytes)
    {
        using var socket = new Socket(SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, _stop.Token);
        await socket.SendAsync(bytes, _stop.Token);
        var buffer = new byte[4096];
        return DnsMessage.Read(buffer.AsSpan(0, await socket.ReceiveAsync(buffer, _stop.Token)));
    }

    [Fact]
    public async Task Names_of_the_cluster_are_answered_with_authority()
    {
        var answer = await AskAsync(StartBoth(), "web.default.svc.cluster.local");

        Assert.True(answer is { Authoritative: true, RecursionAvailable: true, Rcode: DnsRcode.NoError });
        Assert.Equal("10.32.0.7", Assert.Single(answer.Answers).AsAddress().ToString());
    }

    [Fact]
    public async Task Denials_carry_the_SOA()
    {
        var server = StartBoth();

        var no = await AskAsync(server, "no.default.svc.cluster.local");
        var noData = await AskAsync(server, "web.default.svc.cluster.local", DnsType.Aaaa);

        Assert.Equal((DnsRcode.NxDomain, DnsType.Soa), (no.Rcode, Assert.Single(no.Authority).Type));
        Assert.Equal((DnsRcode.NoError, DnsType.Soa), (noData.Rcode, Assert.Single(noData.Authority).Type));
    }

    [Fact]
    public async Task Before_the_first_list_an_unknown_name_is_a_failure_and_no_denial()
    {
        var server = StartBoth();
        _synced = false;

        Assert.Equal(DnsRcode.ServFail, (await AskAsync(server, "no.default.svc.cluster.local")).Rcode);
    }

    [Fact]
    public async Task Other_names_are_forwarded_and_then_come_from_the_cache()
    {
        var server = StartBoth();

        var first = await AskAsync(server, "example.org.svc.elsewhere.test");
        _elsewhere = ClusterIndex.Empty;
        var second = await AskAsync(server, "EXAMPLE.org.svc.elsewhere.test");

        Assert.Equal("192.0.2.1", Assert.Single(first.Answers).AsAddress().ToString());
        Assert.Equal("192.0.2.1", Assert.Single(second.Answers).AsAddress().ToString());
    }

    [Fact]
    public async Task An_ExternalName_is_followed_inside_and_outside()
    {
        var server = StartBoth();

        var outside = await AskAsync(server, "out.default.svc.cluster.local");
        var inside = await AskAsync(server, "in.default.svc.cluster.local");
        var round = await AskAsync(server, "round.default.svc.cluster.local");

        Assert.Equal([DnsType.Cname, DnsType.A], outside.Answers.Select(r => r.Type));
        Assert.Equal([DnsType.Cname, DnsType.A], inside.Answers.Select(r => r.Type));
        Assert.InRange(round.Answers.Count, 1, 9);
    }

    [Fact]
    public async Task Many_addresses_are_cut_by_UDP_and_complete_by_TCP()
    {
        var server = StartBoth();
        var query = new DnsMessage { Questions = [new(DnsName.Parse("many.default.svc.cluster.local"), DnsType.A, DnsClass.In)] };

        Assert.True((await RawAsync(server, query.Write())).Truncated);
        Assert.Equal(200, (await AskAsync(server, "many.default.svc.cluster.local")).Answers.Count);
    }

    [Fact]
    public async Task A_server_that_leads_back_here_is_dropped()
    {
        var other = Start(s_other, () => _elsewhere);
        var own = Start(s_cluster, () => _cluster);
        _forwarder!.Replace([own, other]);

        Assert.Equal([own], await _forwarder.DropLoopsAsync(_stop.Token));
        Assert.Equal([other], _forwarder.Servers);
    }

    [Theory]
    [InlineData("abcd2800000100000000000001610000010001", "NotImp")] // opcode 5
    [InlineData("abcd0100000000000000000000", "FormErr")] // no question
    [InlineData("abcd01000001000000000000016100000100", "FormErr")] // cut short
    [InlineData("abcd0100000100000000000001610000fc0001", "Refused")] // AXFR
    [InlineData("abcd010000010000000000000161000010000" + "3", "Refused")] // class CHAOS
    [InlineData("abcd01000001000000000001016100000100010000290200000100000000", "BadVers")] // EDNS version 1
    public async Task Queries_that_are_not_served_are_refused_by_the_right_code(string hex, string expected)
    {
        var answer = await RawAsync(StartBoth(), Convert.FromHexString(hex));

        Assert.Equal((0xabcd, expected), (answer.Id, answer.Rcode.ToString()));
    }

    [Fact]
    public async Task Without_a_reachable_server_the_answer_is_a_failure()
    {
        using var silent = new Socket(SocketType.Dgram, ProtocolType.Udp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var server = Start(s_cluster, () => _cluster, (IPEndPoint)silent.LocalEndPoint!);

        Assert.Equal(DnsRcode.ServFail, (await AskAsync(server, "example.org")).Rcode);
    }

    [Fact]
    public void Resolv_conf_gives_its_servers() =>
        Assert.Equal(["10.0.0.2:53", "[fd00::1]:53"], ResolvConf.Servers("# x\nsearch a b\nnameserver 10.0.0.2\nnameserver\tfd00::1\nnameserver nonsense\n").Select(s => s.ToString()));
}
