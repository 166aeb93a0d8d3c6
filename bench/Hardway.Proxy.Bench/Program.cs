using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Hardway.Proxy;
using Hardway.Proxy.Bench;
using Hardway.Proxy.Iptables;
using Hardway.Proxy.Model;
using Hardway.Proxy.Nftables;
using Hardway.Proxy.Tests;

// What kube-proxy's rules cost, with the real kernel in network namespaces (needs root): the full sync at start and a single change by number of
// Services, then connections a second through a Service among so many, beside connections straight to the Pod. On a shared machine the
// processor times (ours, and the nft or iptables programs') are the figures to compare.
// Usage: Hardway.Proxy.Bench [nftables|iptables] [ENDPOINTS] [SERVICES...]
var iptables = args is ["iptables", ..];
var numbers = args.SkipWhile(a => !char.IsAsciiDigit(a[0])).Select(a => int.Parse(a, CultureInfo.InvariantCulture)).ToList();
var endpoints = numbers.Count > 0 ? numbers[0] : 10;
List<int> sizes = numbers.Count > 1 ? numbers[1..] : [1_000, 10_000];
Console.WriteLine($"{(iptables ? "iptables" : "nftables")}, {endpoints} endpoints a Service; processors {Environment.ProcessorCount}");
Console.WriteLine($"{"Services",9} {"full",9} {"its CPU",9} {"change p50",11} {"p99",9} {"its CPU",9} {"connections/s",14} {"straight",9}");
foreach (var size in sizes)
{
    await Measure(size);
}

async Task Measure(int services)
{
    using var net = new NodeNetwork();
    var table = Table(new RuleCommand("ip", "netns", "exec", net.Node.Name));
    var ports = Enumerable.Range(0, services).Select(Port).ToList();
    var (full, fullCpu) = await TimedAsync(ports);
    var changes = new List<double>();
    var changeCpu = 0.0;
    for (var i = 0; i < 40; i++)
    {
        // One endpoint of one Service goes, another comes.
        var at = i * 7 % services;
        ports[at] = ports[at] with { ClusterEndpoints = [.. ports[at].ClusterEndpoints.Skip(1), new Endpoint(Address(10, 201, i), 8080, false)] };
        var (took, cpu) = await TimedAsync(ports);
        changes.Add(took);
        changeCpu += cpu;
    }

    changes.Sort();
    ports[services / 2] = Port(services / 2) with { ClusterEndpoints = [new Endpoint(IPAddress.Parse("10.200.0.2"), 8080, true)] };
    Check(await table.SyncAsync(ports, full: false, CancellationToken.None));
    var (through, straight) = (await ConnectAsync(net, ports[services / 2].ClusterIP, 80), await ConnectAsync(net, IPAddress.Parse("10.200.0.2"), 8080));
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{services,9} {full,7:F2} s {fullCpu,7:F2} s {changes[changes.Count / 2] * 1000,8:F1} ms {changes[^1] * 1000,6:F1} ms {changeCpu / changes.Count * 1000,6:F1} ms {through,14:F0} {straight,9:F0}"));

    async Task<(double Wall, double Cpu)> TimedAsync(IReadOnlyCollection<ServicePort> wanted)
    {
        var (start, cpu) = (Stopwatch.GetTimestamp(), ProcessorTime.Now);
        Check(await table.SyncAsync(wanted, full: false, CancellationToken.None));
        return (Stopwatch.GetElapsedTime(start).TotalSeconds, (ProcessorTime.Now - cpu).TotalSeconds);
    }
}

IRuleTable Table(RuleCommand command) => iptables
    ? new IptablesTable(new IptablesOptions { IfLocal = "-s 10.200.0.0/13", IfNotLocal = "! -s 10.200.0.0/13" }, command)
    : new NftTable(new NftOptions { Family = NftFamily.V4, IfLocal = "ip saddr 10.200.0.0/13", IfNotLocal = "ip saddr != 10.200.0.0/13" }, command);

ServicePort Port(int i)
{
    var all = Enumerable.Range(0, endpoints).Select(e => new Endpoint(Address(10, 202, (i * endpoints) + e), 8080, false)).ToList();
    return new() { Name = new("default", $"service-{i}", "http"), Protocol = L4Protocol.Tcp, Port = 80, ClusterIP = Address(10, 32, i + 1), ClusterEndpoints = all };
}

static IPAddress Address(int a, int b, int i) => new([(byte)a, (byte)(b + (i >> 16)), (byte)(i >> 8), (byte)i]);

static void Check(string? failed)
{
    if (failed is not null)
    {
        throw new InvalidOperationException(failed);
    }
}

// A client outside, one connection after the other for three seconds.
static async Task<double> ConnectAsync(NodeNetwork net, IPAddress address, int port)
{
    using var stop = new CancellationTokenSource();
    var serving = net.ServeTcpAsync(net.PodA, "a", 8080, stop.Token);
    net.Client.Exec("ip", "route", "replace", $"{address}/32", "via", "192.0.2.1");
    var (start, count) = (Stopwatch.GetTimestamp(), 0);
    while (Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(3))
    {
        using var socket = net.Client.Inside(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        await socket.ConnectAsync(address, port);
        socket.LingerState = new LingerOption(true, 0); // no TIME_WAIT: ports would run out
        count++;
    }

    var rate = count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    await stop.CancelAsync();
    await serving;
    return rate;
}
