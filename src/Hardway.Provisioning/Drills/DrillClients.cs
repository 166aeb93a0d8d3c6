using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Hardway.Hosting;
using Hardway.Provisioning.Api;

namespace Hardway.Provisioning.Drills;

/// <summary>One try of a client: seconds since its clock was made, or, in a report, since the fault.</summary>
internal sealed record Attempt(double Begin, double End, string? Error);

/// <summary>
/// Clients that use the API all the time, as users do: through the load balancer, over connections that they keep. The writer makes a new ConfigMap each time and
/// remembers those that were acknowledged; the reader reads one; the watcher must hear of every acknowledged write. More can be added for what a drill is about.
/// </summary>
internal sealed class DrillClients(ClusterModel cluster, DrillClock clock, string ns) : IAsyncDisposable
{
    public const string Writer = "writes";
    public const string Reader = "reads";

    /// <summary>How long a client waits for an answer before it asks again.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<string, ConcurrentQueue<Attempt>> _attempts = new();
    private readonly ConcurrentDictionary<string, double> _acknowledged = new();
    private readonly ConcurrentDictionary<string, double> _heard = new();
    private readonly List<Task> _running = [];
    private readonly List<ApiConnection> _connections = [];
    private readonly List<Task> _working = [];
    private readonly CancellationTokenSource _endWork = new();
    private readonly CancellationTokenSource _end = new();

    public IReadOnlyCollection<string> Acknowledged => (IReadOnlyCollection<string>)_acknowledged.Keys;

    public IReadOnlyCollection<string> Heard => (IReadOnlyCollection<string>)_heard.Keys;

    private string Collection => $"/api/v1/namespaces/{ns}/configmaps";

    public void Start()
    {
        var count = 0;
        Add(Writer, async (api, token) =>
        {
            var name = $"write-{Interlocked.Increment(ref count):00000}";
            await api.PostAsync(Collection, JsonNode.Parse($$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}"},"data":{"value":"{{{name}}}"}}""")!, token).ConfigureAwait(false);
            _acknowledged[name] = clock.Now;
        });
        Add(Reader, async (api, token) => await api.GetAsync($"/api/v1/namespaces/{ns}", token).ConfigureAwait(false));
        var watching = Connect();
        _running.Add(Task.Run(() => WatchAsync(watching, _end.Token), CancellationToken.None));
    }

    /// <summary>Something to do again and again, over a connection of its own.</summary>
    public void Add(string name, Func<ApiConnection, CancellationToken, Task> work)
    {
        var attempts = _attempts.GetOrAdd(name, _ => new ConcurrentQueue<Attempt>());
        var api = Connect();
        _working.Add(Task.Run(() => RepeatAsync(api, attempts, work, _endWork.Token), CancellationToken.None));
    }

    public IReadOnlyList<ClientReport> Reports() => [.. _attempts.OrderBy(a => a.Key).Select(a => Report(a.Key, [.. a.Value.Select(t => t with { Begin = t.Begin - clock.ZeroAt, End = t.End - clock.ZeroAt })]))];

    /// <summary>Whether every client has succeeded since then.</summary>
    public bool HaveAllSucceededSince(double second) => _attempts.Values.All(a => a.Any(t => t.Error is null && t.Begin - clock.ZeroAt >= second));

    /// <summary>Nobody writes or reads any more; the watcher goes on.</summary>
    public async Task StopWorkAsync()
    {
        await _endWork.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_working).ConfigureAwait(false);
    }

    public async Task StopAsync()
    {
        await StopWorkAsync().ConfigureAwait(false);
        await _end.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_running).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _connections.ForEach(c => c.Dispose());
        _end.Dispose();
        _endWork.Dispose();
    }

    internal static ClientReport Report(string name, IReadOnlyList<Attempt> attempts)
    {
        var after = attempts.Where(a => a.End >= 0).ToList();
        double outage = 0, last = Math.Max(0, attempts.Where(a => a.Error is null && a.End < 0).Select(a => a.End).DefaultIfEmpty(0).Max());
        double? from = null;
        foreach (var success in after.Where(a => a.Error is null))
        {
            if (success.End - last > outage)
            {
                (outage, from) = (success.End - last, last);
            }

            last = success.End;
        }

        if (after.Count > 0 && after[^1].End - last > outage)
        {
            (outage, from) = (after[^1].End - last, last);
        }

        return new ClientReport(name, after.Count, after.Count(a => a.Error is not null), outage, from, after.FirstOrDefault(a => a.Error is not null)?.Error ?? "");
    }

    private async Task RepeatAsync(ApiConnection api, ConcurrentQueue<Attempt> attempts, Func<ApiConnection, CancellationToken, Task> work, CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            var begin = clock.SinceStart;
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(end);
            patience.CancelAfter(Patience);
            string? error = null;
            try
            {
                await work(api, patience.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                error = $"no answer within {Patience.TotalSeconds:0} s";
            }
            catch (Exception e) when (e is ComponentException or HttpRequestException or IOException)
            {
                error = e.Message;
            }

            if (!end.IsCancellationRequested)
            {
                attempts.Enqueue(new Attempt(begin, clock.SinceStart, error));
            }

            await Task.Delay(_pause, cluster.Options.Time, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>A watch that ends or falls silent is begun again from the last revision that it heard of.</summary>
    private async Task WatchAsync(ApiConnection api, CancellationToken end)
    {
        var revision = "";
        while (!end.IsCancellationRequested)
        {
            try
            {
                var path = $"{Collection}?watch=true&allowWatchBookmarks=true{(revision.Length > 0 ? "&resourceVersion=" + revision : "")}";
                await foreach (var line in api.WatchAsync(path, TimeSpan.FromSeconds(3), end).ConfigureAwait(false))
                {
                    var item = line["object"];
                    if ((string?)line["type"] == "ERROR")
                    {
                        revision = "";
                        break;
                    }

                    revision = (string?)item?["metadata"]?["resourceVersion"] ?? revision;
                    if ((string?)item?["metadata"]?["name"] is { } name)
                    {
                        _heard.TryAdd(name, clock.Now);
                    }
                }
            }
            catch (Exception e) when (e is OperationCanceledException or ComponentException or HttpRequestException or IOException)
            {
                await Task.Delay(_pause, cluster.Options.Time, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private ApiConnection Connect()
    {
        var api = new ApiConnection(cluster, http2: true);
        _connections.Add(api);
        return api;
    }
}
