using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Hardway.Kubelet.Stats;

/// <summary>/stats/summary as JSON and /metrics/resource as Prometheus text, both from one sample of the runtime and the machine.</summary>
internal sealed class StatsHandler(UsageSampler sampler, NodeFacts node, ProbeMetrics probes, string rootDirectory)
{
    public async Task SummaryAsync(HttpContext context)
    {
        var sample = await sampler.TakeAsync(context.RequestAborted);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("node");
            json.WriteString("nodeName", node.Name);
            json.WriteString("startTime", sample.BootTime);
            Usage(json, sample.Time, sample.Node);
            FileSystem(json, sample.Time, rootDirectory);
            json.WriteEndObject();
            json.WriteStartArray("pods");
            foreach (var pod in sample.Pods)
                Pod(json, sample.Time, pod);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(buffer.ToArray(), context.RequestAborted);
    }

    public async Task CadvisorAsync(HttpContext context)
    {
        var sample = await sampler.TakeAsync(context.RequestAborted);
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        await context.Response.WriteAsync(CadvisorMetrics.Render(sample, node.Machine), context.RequestAborted);
    }

    public Task ProbesAsync(HttpContext context) => probes.Registry.HandleAsync(context);

    public async Task ResourceMetricsAsync(HttpContext context)
    {
        var sample = await sampler.TakeAsync(context.RequestAborted);
        var milliseconds = sample.Time.ToUnixTimeMilliseconds();
        var text = new StringBuilder();
        Family(text, "node_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed by the node in core-seconds");
        text.Append($"node_cpu_usage_seconds_total {Seconds(sample.Node.CpuNanoseconds)} {milliseconds}\n");
        Family(text, "node_memory_working_set_bytes", "gauge", "Current working set of the node in bytes");
        text.Append($"node_memory_working_set_bytes {sample.Node.WorkingSet} {milliseconds}\n");
        var containers = sample.Pods.SelectMany(p => p.Containers.Select(c => (Labels: $"{{container=\"{c.Name}\",namespace=\"{p.Namespace}\",pod=\"{p.Name}\"}}", c.Usage, c.StartTime))).ToList();
        Family(text, "container_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed by the container in core-seconds");
        foreach (var (labels, usage, _) in containers)
            text.Append($"container_cpu_usage_seconds_total{labels} {Seconds(usage.CpuNanoseconds)} {milliseconds}\n");
        Family(text, "container_memory_working_set_bytes", "gauge", "Current working set of the container in bytes");
        foreach (var (labels, usage, _) in containers)
            text.Append($"container_memory_working_set_bytes{labels} {usage.WorkingSet} {milliseconds}\n");
        Family(text, "container_start_time_seconds", "gauge", "Start time of the container since unix epoch in seconds");
        foreach (var (labels, _, start) in containers)
            text.Append($"container_start_time_seconds{labels} {start.ToUnixTimeMilliseconds() / 1000d}\n");
        Family(text, "pod_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed by the pod in core-seconds");
        foreach (var pod in sample.Pods)
            text.Append($"pod_cpu_usage_seconds_total{{namespace=\"{pod.Namespace}\",pod=\"{pod.Name}\"}} {Seconds(pod.Total.CpuNanoseconds)} {milliseconds}\n");
        Family(text, "pod_memory_working_set_bytes", "gauge", "Current working set of the pod in bytes");
        foreach (var pod in sample.Pods)
            text.Append($"pod_memory_working_set_bytes{{namespace=\"{pod.Namespace}\",pod=\"{pod.Name}\"}} {pod.Total.WorkingSet} {milliseconds}\n");
        Family(text, "resource_scrape_error", "gauge", "1 if there was an error while getting container metrics, 0 otherwise");
        text.Append("resource_scrape_error 0\n");
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        await context.Response.WriteAsync(text.ToString(), context.RequestAborted);
    }

    private static void Family(StringBuilder text, string name, string type, string help) => text.Append($"# HELP {name} [STABLE] {help}\n# TYPE {name} {type}\n");

    private static double Seconds(ulong nanoseconds) => nanoseconds / 1e9;

    private static void Pod(Utf8JsonWriter json, DateTimeOffset time, PodUsage pod)
    {
        json.WriteStartObject();
        json.WriteStartObject("podRef");
        json.WriteString("name", pod.Name);
        json.WriteString("namespace", pod.Namespace);
        json.WriteString("uid", pod.Uid);
        json.WriteEndObject();
        json.WriteString("startTime", pod.StartTime);
        json.WriteStartArray("containers");
        foreach (var container in pod.Containers)
        {
            json.WriteStartObject();
            json.WriteString("name", container.Name);
            json.WriteString("startTime", container.StartTime);
            Usage(json, time, container.Usage);
            json.WriteStartObject("rootfs");
            json.WriteString("time", time);
            json.WriteNumber("usedBytes", container.LayerBytes);
            json.WriteNumber("inodesUsed", container.LayerInodes);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        Usage(json, time, pod.Total);
        json.WriteEndObject();
    }

    private static void FileSystem(Utf8JsonWriter json, DateTimeOffset time, string path)
    {
        var disk = Linux.Files.FileSystemStat.Of(path);
        json.WriteStartObject("fs");
        json.WriteString("time", time);
        json.WriteNumber("availableBytes", disk.AvailableBytes);
        json.WriteNumber("capacityBytes", disk.CapacityBytes);
        json.WriteNumber("usedBytes", disk.UsedBytes);
        json.WriteNumber("inodesFree", disk.InodesFree);
        json.WriteNumber("inodes", disk.Inodes);
        json.WriteNumber("inodesUsed", disk.Inodes - disk.InodesFree);
        json.WriteEndObject();
    }

    private static void Usage(Utf8JsonWriter json, DateTimeOffset time, Usage usage)
    {
        json.WriteStartObject("cpu");
        json.WriteString("time", time);
        json.WriteNumber("usageNanoCores", usage.NanoCores);
        json.WriteNumber("usageCoreNanoSeconds", usage.CpuNanoseconds);
        json.WriteEndObject();
        json.WriteStartObject("memory");
        json.WriteString("time", time);
        if (usage.Available > 0)
            json.WriteNumber("availableBytes", usage.Available);
        json.WriteNumber("usageBytes", usage.MemoryUsage);
        json.WriteNumber("workingSetBytes", usage.WorkingSet);
        if (usage.Rss > 0)
            json.WriteNumber("rssBytes", usage.Rss);
        json.WriteEndObject();
    }
}
