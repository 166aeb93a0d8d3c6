using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Hardway.Dns;
using Hardway.Dns.Forwarding;
using Hardway.Dns.Records;
using Hardway.Dns.Serving;
using Hardway.Dns.Wire;
using Hardway.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

// Cluster DNS by UDP on loopback, server and clients in this process: questions a second and how long one waits, for names of a cluster of so many
// Services. The yardstick of the same run is a socket that sends every datagram back.
// Usage: Hardway.Dns.Bench [SERVICES] [CLIENTS] [SECONDS]
var numbers = args.Select(a => int.Parse(a, CultureInfo.InvariantCulture)).ToList();
var (services, clients, seconds) = (numbers.ElementAtOrDefault(0) is > 0 and var s ? s : 10_000, numbers.ElementAtOrDefault(1) is > 0 and var c ? c : 16, numbers.ElementAtOrDefault(2) is > 0 and var t ? t : 5);
var domain = DnsName.Parse("cluster.local");
var index = ClusterIndex.Empty.WithNamespace("default", true);
for (var i = 0; i < services; i++)
{
    var service = new ServiceRecord(new("default", $"service-{i}")) { ClusterIPs = [new IPAddress([10, 32, (byte)(i >> 8), (byte)i])], Ports = [new("http", "TCP", 80)] };
    index = index.WithService(service.Key, ServiceZone.Build(service, [], domain, 30));
}

using var stop = new CancellationTokenSource();
var metrics = new DnsMetrics(new Metrics());
var forwarder = new Forwarder([], new AnswerCache(TimeProvider.System), metrics);
using var server = new UdpServer(new IPEndPoint(IPAddress.Loopback, 0), new QueryHandler(new ClusterZone(domain, 30), () => index, () => true, forwarder, metrics, TimeProvider.System), NullLogger.Instance);
using var echo = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
echo.Bind(new IPEndPoint(IPAddress.Loopback, 0));
Task[] serving = [Task.Run(() => server.RunAsync(stop.Token)), Task.Run(() => EchoAsync(echo, stop.Token))];
Console.WriteLine($"{services} Services, {clients} clients, {seconds} s each; processors {Environment.ProcessorCount}");
Console.WriteLine($"{"question",-32} {"answers/s",10} {"per CPU s",10} {"p50 us",8} {"p99 us",8} {"p99.9 us",9} {"bytes each",11}");
await Measure("every datagram sent back", (IPEndPoint)echo.LocalEndPoint!, i => Question($"service-{i % services}.default.svc.cluster.local", DnsType.A));
await Measure("A of a Service", server.LocalEndPoint, i => Question($"service-{i % services}.default.svc.cluster.local", DnsType.A));
await Measure("SRV with its target", server.LocalEndPoint, i => Question($"_http._tcp.service-{i % services}.default.svc.cluster.local", DnsType.Srv));
await Measure("a name that does not exist", server.LocalEndPoint, i => Question($"service-{i % services}.default.svc.cluster.local.default.svc.cluster.local", DnsType.A));
await stop.CancelAsync();
await Task.WhenAll(serving);

static byte[] Question(string name, ushort type) => new DnsMessage { RecursionDesired = true, Edns = new Edns(1232, 0, false), Questions = [new(DnsName.Parse(name), type, DnsClass.In)] }.Write();

async Task Measure(string title, IPEndPoint to, Func<int, byte[]> question)
{
    var questions = Enumerable.Range(0, 1000).Select(i => question(i * 7)).ToList();
    var waits = new ConcurrentBag<List<double>>();
    var (start, cpu, bytes) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime, GC.GetTotalAllocatedBytes());
    await Task.WhenAll(Enumerable.Range(0, clients).Select(n => Task.Run(async () =>
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(to);
        var (mine, buffer) = (new List<double>(), new byte[4096]);
        for (var i = n; Stopwatch.GetElapsedTime(start).TotalSeconds < seconds; i++)
        {
            var sent = Stopwatch.GetTimestamp();
            await socket.SendAsync(questions[i % questions.Count]);
            await socket.ReceiveAsync(buffer);
            mine.Add(Stopwatch.GetElapsedTime(sent).TotalMicroseconds);
        }

        waits.Add(mine);
    })));
    var (took, used, made) = (Stopwatch.GetElapsedTime(start).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds, GC.GetTotalAllocatedBytes() - bytes);
    var all = waits.SelectMany(w => w).Order().ToList();
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{title,-32} {all.Count / took,10:F0} {all.Count / used,10:F0} {all[all.Count / 2],8:F0} {all[all.Count * 99 / 100],8:F0} {all[all.Count * 999 / 1000],9:F0} {made / all.Count,11}"));
}

static async Task EchoAsync(Socket socket, CancellationToken cancel)
{
    var (buffer, from) = (new byte[4096], new SocketAddress(AddressFamily.InterNetwork));
    try
    {
        while (true)
        {
            var count = await socket.ReceiveFromAsync(buffer, SocketFlags.None, from, cancel);
            await socket.SendToAsync(buffer.AsMemory(0, count), SocketFlags.None, from, cancel);
        }
    }
    catch (OperationCanceledException)
    {
        // measured
    }
}
