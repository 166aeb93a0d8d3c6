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
        Console.WriteLine($"start            {start.TotalSeconds,10:N2} s until /readyz, {server.Cpu.TotalSeconds:N2} s of processor time; process {server.Id}");
        return new ServerBench(etcd, server, clients);
    }

    /// <param name="length">How long each figure is measured.</param>
    /// <param name="only">Which figures; all where none is named.</param>
    public async Task RunAsync(TimeSpan length, IReadOnlyCollection<string> only)
    {
        bool Wanted(string what) => only.Count == 0 || only.Contains(what);
        // What starts late has started.
        await Task.Delay(TimeSpan.FromSeconds(3)).ConfigureAwait(false);
        Console.WriteLine($"memory idle      {_server.Resident,10:N0} MB");
        await WritesAsync(length, Wanted).ConfigureAwait(false);
        await FillAsync().ConfigureAwait(false);
        if (Wanted("get"))
        {
            await CompareAsync("get", $"{Path}/o-1", length, 32).ConfigureAwait(false);
        }

        if (Wanted("list"))
        {
            await CompareAsync($"list {Objects}", Path, length, 4).ConfigureAwait(false);
        }

        if (Wanted("watch"))
        {
            await FanOutAsync(length).ConfigureAwait(false);
        }

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

    private async Task WritesAsync(TimeSpan length, Func<string, bool> wanted)
    {
        var (next, patched) = (0, 0);
        Task<double> CreateAsync(TimeSpan time) => _clients.MeasureAsync(time, _ => Clients.Request(HttpMethod.Post, Path, Body($"create-{Interlocked.Increment(ref next)}")));
        Task<double> PatchAsync(TimeSpan time) => _clients.MeasureAsync(time, i => Clients.Request(HttpMethod.Patch, $"{Path}/create-{1 + (i % Math.Min(500, patched))}", $$$"""{"data":{"n":"{{{Interlocked.Increment(ref next)}}}"}}""", "application/merge-patch+json"));
        if (wanted("create"))
        {
            await WarmAsync(CreateAsync).ConfigureAwait(false);
            await ShowAsync("create", "raw", length, CreateAsync, RawAsync).ConfigureAwait(false);
        }

        if (wanted("patch"))
        {
            if (next < 500)
            {
                await CreateAsync(TimeSpan.FromSeconds(2)).ConfigureAwait(false);
            }

            patched = next;
            await WarmAsync(PatchAsync).ConfigureAwait(false);
            await ShowAsync("patch", "raw", length, PatchAsync, RawAsync).ConfigureAwait(false);
        }

        using var answer = await _clients.First.SendAsync(Clients.Request(HttpMethod.Delete, Path)).ConfigureAwait(false);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Until the server's code has been compiled for good, which takes calls rather than time; half a minute at the most.</summary>
    private static async Task WarmAsync(Func<TimeSpan, Task<double>> measure, int calls = 6000)
    {
        var start = TimeProvider.System.GetTimestamp();
        for (var done = 0.0; done < calls && TimeProvider.System.GetElapsedTime(start).TotalSeconds < 30;)
        {
            done += await measure(TimeSpan.FromSeconds(1)).ConfigureAwait(false);
        }
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

    private async Task CompareAsync(string what, string path, TimeSpan length, int callers)
    {
        HttpRequestMessage Make(int i) => Clients.Request(HttpMethod.Get, path);
        var file = System.IO.Path.GetTempFileName();
        await File.WriteAllBytesAsync(file, await _clients.First.GetByteArrayAsync(path).ConfigureAwait(false)).ConfigureAwait(false);
        using (var bare = StartBare(file))
        using (var clients = new Clients(int.Parse((await bare.StandardOutput.ReadLineAsync().ConfigureAwait(false))!, CultureInfo.InvariantCulture), null))
        {
            await WarmAsync(time => clients.MeasureAsync(time, Make, callers), callers * 200).ConfigureAwait(false);
            await WarmAsync(time => _clients.MeasureAsync(time, Make, callers), callers * 200).ConfigureAwait(false);
            await ShowAsync(what, "bare", length, time => _clients.MeasureAsync(time, Make, callers), time => clients.MeasureAsync(time, Make, callers), () =>
            {
                bare.Refresh();
                return bare.TotalProcessorTime;
            }).ConfigureAwait(false);
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
        var (start, cpu) = (TimeProvider.System.GetTimestamp(), _server.Cpu);
        await _clients.MeasureAsync(length, i => Clients.Request(HttpMethod.Patch, $"{Path}/o-{1 + (i % 500)}", $$$"""{"data":{"w":"{{{i}}}"}}""", "application/merge-patch+json")).ConfigureAwait(false);
        var seen = Interlocked.Read(ref events);
        var rate = seen / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        Console.WriteLine($"watch            {rate,10:N0} events/s to {Watchers} watchers, client on the same cores; processor time an event {(_server.Cpu - cpu).TotalMicroseconds / seen:N1} µs, patches included");
        await stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(watchers).ConfigureAwait(false);
        ready.Dispose();
    }

    /// <summary>
    /// Both in turns, a slice each: what else the machine does meets one as much as the other. Processor time a request is told beside the rates, as it
    /// says more where the machine is loaded.
    /// </summary>
    private async Task ShowAsync(string what, string name, TimeSpan length, Func<TimeSpan, Task<double>> measure, Func<TimeSpan, Task<double>> measureYardstick, Func<TimeSpan>? yardstickCpu = null)
    {
        const int Slices = 5;
        var slice = length / Slices;
        var (ours, yardstick, cpu, otherCpu) = (0.0, 0.0, TimeSpan.Zero, TimeSpan.Zero);
        for (var i = 0; i < Slices; i++)
        {
            var before = yardstickCpu?.Invoke() ?? default;
            yardstick += await measureYardstick(slice).ConfigureAwait(false) / Slices;
            otherCpu += (yardstickCpu?.Invoke() ?? default) - before;
            before = _server.Cpu;
            ours += await measure(slice).ConfigureAwait(false) / Slices;
            cpu += _server.Cpu - before;
        }

        var micro = cpu.TotalMicroseconds / (ours * length.TotalSeconds);
        var other = yardstickCpu is null ? "" : $" ({name} {otherCpu.TotalMicroseconds / (yardstick * length.TotalSeconds):N0})";
        Console.WriteLine($"{what,-16} {ours,10:N0} /s = {ours / yardstick:N2} of {name} ({yardstick:N0} /s); processor time a request {micro:N0} µs{other}");
    }
}
