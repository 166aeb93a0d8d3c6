using System.Diagnostics;
using System.Globalization;
using Hardway.Storage.Bench;

namespace Hardway.ApiServer.Bench;

/// <summary>The budgets of a kube-apiserver, each beside its yardstick.</summary>
internal sealed class ServerBench : IAsyncDisposable
{
    private const string Path = "/api/v1/namespaces/default/configmaps";
    private const int Objects = 5000;
    private const int Watchers = 100;
    private static readonly string s_text = new('x', 700);
    private readonly EtcdServer _etcd;
    private readonly ServerProcess _server;
    private readonly Clients _clients;
    private int _raw;

    private ServerBench(EtcdServer etcd, ServerProcess server, Clients clients)
    {
        _etcd = etcd;
        _server = server;
        _clients = clients;
    }

    public static async Task<ServerBench> StartAsync(string program)
    {
        var etcd = await EtcdServer.StartAsync().ConfigureAwait(false);
        var server = new ServerProcess(program, etcd.Url);
        var clients = new Clients(server.Port, server.Admin);
        var start = await server.ReadyAsync(clients.First).ConfigureAwait(false);
        Console.WriteLine($"start            {start.TotalSeconds,10:N2} s until /readyz");
        return new ServerBench(etcd, server, clients);
    }

    public async Task RunAsync(TimeSpan length)
    {
        // What starts late has started.
        await Task.Delay(TimeSpan.FromSeconds(3)).ConfigureAwait(false);
        Console.WriteLine($"memory idle      {_server.Resident,10:N0} MB");
        await WritesAsync(length).ConfigureAwait(false);
        await FillAsync().ConfigureAwait(false);
        await ReadsAsync(length).ConfigureAwait(false);
        await FanOutAsync(length).ConfigureAwait(false);
        Console.WriteLine($"memory loaded    {_server.Resident,10:N0} MB after all this");
        await Task.Delay(TimeSpan.FromSeconds(10)).ConfigureAwait(false);
        Console.WriteLine($"memory at rest   {_server.Resident,10:N0} MB ten seconds later");
    }

    public async ValueTask DisposeAsync()
    {
        _clients.Dispose();
        await _server.DisposeAsync().ConfigureAwait(false);
        await _etcd.DisposeAsync().ConfigureAwait(false);
    }

    private static string Body(string name) => $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}","labels":{"app":"bench"}},"data":{"text":"{{{s_text}}}"}}""";

    private async Task WritesAsync(TimeSpan length)
    {
        // Once before: the first time the server's code is still being compiled.
        var next = 0;
        Task<double> CreateAsync(TimeSpan time) => _clients.MeasureAsync(time, _ => Clients.Request(HttpMethod.Post, Path, Body($"create-{Interlocked.Increment(ref next)}")));
        Task<double> PatchAsync(TimeSpan time) => _clients.MeasureAsync(time, i => Clients.Request(HttpMethod.Patch, $"{Path}/create-{1 + (i % 500)}", $$$"""{"data":{"n":"{{{Interlocked.Increment(ref next)}}}"}}""", "application/merge-patch+json"));
        await CreateAsync(length).ConfigureAwait(false);
        await PatchAsync(length).ConfigureAwait(false);
        await ShowAsync("create", "raw", length, CreateAsync, RawAsync).ConfigureAwait(false);
        await ShowAsync("patch", "raw", length, PatchAsync, RawAsync).ConfigureAwait(false);
        using var answer = await _clients.First.SendAsync(Clients.Request(HttpMethod.Delete, Path)).ConfigureAwait(false);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Transactions of the same size straight to etcd.</summary>
    private async Task<double> RawAsync(TimeSpan length)
    {
        var value = new byte[1000];
        var (first, start) = (_raw, TimeProvider.System.GetTimestamp());
        await Task.WhenAll(Enumerable.Range(0, 32).Select(async _ =>
        {
            while (TimeProvider.System.GetElapsedTime(start) < length)
            {
                await _etcd.Store.CreateAsync($"/raw/{Interlocked.Increment(ref _raw)}", value, 0, CancellationToken.None).ConfigureAwait(false);
            }
        })).ConfigureAwait(false);
        return (_raw - first) / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    }

    private async Task FillAsync()
    {
        var next = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, Objects), new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (_, cancellationToken) =>
        {
            using var answer = await _clients.First.SendAsync(Clients.Request(HttpMethod.Post, Path, Body($"o-{Interlocked.Increment(ref next)}")), cancellationToken).ConfigureAwait(false);
            answer.EnsureSuccessStatusCode();
        }).ConfigureAwait(false);
        Console.WriteLine($"memory filled    {_server.Resident,10:N0} MB with {Objects} objects");
    }

    private async Task ReadsAsync(TimeSpan length)
    {
        await CompareAsync("get", $"{Path}/o-1", length, 32).ConfigureAwait(false);
        await CompareAsync($"list {Objects}", Path, length, 4).ConfigureAwait(false);
    }

    private async Task CompareAsync(string what, string path, TimeSpan length, int callers)
    {
        HttpRequestMessage Make(int i) => Clients.Request(HttpMethod.Get, path);
        var file = System.IO.Path.GetTempFileName();
        await File.WriteAllBytesAsync(file, await _clients.First.GetByteArrayAsync(path).ConfigureAwait(false)).ConfigureAwait(false);
        using (var bare = StartBare(file))
        using (var clients = new Clients(int.Parse((await bare.StandardOutput.ReadLineAsync().ConfigureAwait(false))!, CultureInfo.InvariantCulture), null))
        {
            await clients.MeasureAsync(length / 2, Make, callers).ConfigureAwait(false);
            await _clients.MeasureAsync(length / 2, Make, callers).ConfigureAwait(false);
            await ShowAsync(what, "bare", length, time => _clients.MeasureAsync(time, Make, callers), time => clients.MeasureAsync(time, Make, callers)).ConfigureAwait(false);
            bare.Kill();
        }

        File.Delete(file);
    }

    private Process StartBare(string file)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardInput = true };
        foreach (var arg in new[] { "bare", file, _server.CertificateFile, _server.KeyFile })
        {
            start.ArgumentList.Add(arg);
        }

        return Process.Start(start)!;
    }

    private async Task FanOutAsync(TimeSpan length)
    {
        long events = 0;
        using var stop = new CancellationTokenSource();
        var ready = new CountdownEvent(Watchers);
        var watchers = Enumerable.Range(0, Watchers).Select(async _ =>
        {
            try
            {
                using var answer = await _clients.First.SendAsync(Clients.Request(HttpMethod.Get, Path + "?watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=0"), HttpCompletionOption.ResponseHeadersRead, stop.Token).ConfigureAwait(false);
                answer.EnsureSuccessStatusCode();
                var stream = await answer.Content.ReadAsStreamAsync(stop.Token).ConfigureAwait(false);
                ready.Signal();
                var buffer = new byte[64 * 1024];
                while (await stream.ReadAsync(buffer, stop.Token).ConfigureAwait(false) is > 0 and var read)
                {
                    Interlocked.Add(ref events, buffer.AsSpan(0, read).Count((byte)'\n'));
                }
            }
            catch (OperationCanceledException)
            {
                // Measured.
            }
        }).ToList();
        await Task.Run(() => ready.Wait(TimeSpan.FromSeconds(30))).ConfigureAwait(false);
        var start = TimeProvider.System.GetTimestamp();
        await _clients.MeasureAsync(length, i => Clients.Request(HttpMethod.Patch, $"{Path}/o-{1 + (i % 500)}", $$$"""{"data":{"w":"{{{i}}}"}}""", "application/merge-patch+json"), 8).ConfigureAwait(false);
        var rate = Interlocked.Read(ref events) / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        Console.WriteLine($"watch            {rate,10:N0} events/s to {Watchers} watchers, client on the same cores");
        await stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(watchers).ConfigureAwait(false);
        ready.Dispose();
    }

    /// <summary>Both in turns, a slice each: what else the machine does meets one as much as the other.</summary>
    private static async Task ShowAsync(string what, string name, TimeSpan length, Func<TimeSpan, Task<double>> measure, Func<TimeSpan, Task<double>> measureYardstick)
    {
        const int Slices = 5;
        var (ours, yardstick) = (0.0, 0.0);
        for (var i = 0; i < Slices; i++)
        {
            yardstick += await measureYardstick(length / Slices).ConfigureAwait(false) / Slices;
            ours += await measure(length / Slices).ConfigureAwait(false) / Slices;
        }

        Console.WriteLine($"{what,-16} {ours,10:N0} /s = {ours / yardstick:N2} of {name} ({yardstick:N0} /s)");
    }
}
