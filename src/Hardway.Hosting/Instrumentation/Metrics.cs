using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Hardway.Hosting;

/// <summary>
/// A component's metrics, written in Prometheus' text format at /metrics under upstream's names. Asking again for a name gives the same family.
/// Safe for all threads.
/// </summary>
public sealed class Metrics
{
    /// <summary>Bounds for latencies of requests and reconciliations, seconds.</summary>
    public static double[] LatencyBounds { get; } = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    private readonly ConcurrentDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<Action> _refresh = new();

    public Metrics()
    {
        var started = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0;
        Gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", () => started);
        Gauge("process_resident_memory_bytes", "Resident memory size in bytes.", () => Environment.WorkingSet);
        Custom("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", "counter", () => Environment.CpuUsage.TotalTime.TotalSeconds);
        Gauge("process_open_fds", "Number of open file descriptors.", () => Directory.Exists("/proc/self/fd") ? Directory.GetFiles("/proc/self/fd").Length : 0);
        Gauge("dotnet_gc_heap_size_bytes", "Bytes in the managed heap.", () => GC.GetTotalMemory(false));
        Gauge("dotnet_threadpool_threads", "Threads of the pool.", () => ThreadPool.ThreadCount);
        Gauge("kubernetes_build_info", "Version this program was built as.", "major", "minor", "git_version").Set(1, HardwayVersion.Major, HardwayVersion.Minor, HardwayVersion.GitVersion);
    }

    public Counter Counter(string name, string help, params string[] labels) => (Counter)_families.GetOrAdd(name, _ => new Counter(name, help, labels));

    public Gauge Gauge(string name, string help, params string[] labels) => (Gauge)_families.GetOrAdd(name, _ => new Gauge(name, help, labels));

    /// <summary>A gauge that is read when it is scraped.</summary>
    public Gauge Gauge(string name, string help, Func<double> read) => Custom(name, help, "gauge", read);

    /// <summary>A gauge with labels whose values are set anew when it is scraped.</summary>
    public Gauge Gauge(string name, string help, string[] labels, Action<Gauge> refresh) =>
        (Gauge)_families.GetOrAdd(name, _ => new Gauge(name, help, labels, refresh: refresh));

    public Histogram Histogram(string name, string help, double[]? bounds = null, params string[] labels) =>
        (Histogram)_families.GetOrAdd(name, _ => new Histogram(name, help, bounds ?? LatencyBounds, labels));

    /// <summary>Called before every scrape, to set gauges that follow from the time (how long a worker has been busy).</summary>
    public void OnScrape(Action refresh) => _refresh.Enqueue(refresh);

    public string Render()
    {
        foreach (var refresh in _refresh) refresh();
        var text = new StringBuilder(16 * 1024);
        foreach (var family in _families.Values.OrderBy(f => f.Name, StringComparer.Ordinal))
        {
            (family as Gauge)?.Refresh();
            family.Write(text);
        }
        return text.ToString();
    }

    public async Task HandleAsync(HttpContext context)
    {
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        await context.Response.WriteAsync(Render(), context.RequestAborted);
    }

    private Gauge Custom(string name, string help, string type, Func<double> read) =>
        (Gauge)_families.GetOrAdd(name, _ => new Gauge(name, help, [], read, type));
}
