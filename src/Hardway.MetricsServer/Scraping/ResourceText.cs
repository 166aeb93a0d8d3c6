using System.Globalization;

namespace Hardway.MetricsServer.Scraping;

/// <summary>
/// Reads a kubelet's /metrics/resource (Prometheus text): the six families that matter, lines that are not understood are skipped. What
/// comes from a node is bounded and never trusted to be complete: a container counts only with both CPU and memory. Pure.
/// </summary>
internal static class ResourceText
{
    private const int MaxContainers = 20_000;

    private sealed class Partial
    {
        public double? Cpu, Memory;
        public DateTimeOffset Time, Started;
    }

    public static NodeSample Parse(string text, DateTimeOffset now)
    {
        var node = new Partial();
        var containers = new Dictionary<(string Pod, string Name), Partial>();
        foreach (var range in text.AsSpan().Split('\n'))
        {
            var line = text.AsSpan(range).Trim();
            if (line.IsEmpty || line[0] == '#' || !TrySplit(line, out var name, out var labels, out var value, out var time))
                continue;
            if (name.StartsWith("node_", StringComparison.Ordinal))
                Take(node, name["node_".Length..], value, time ?? now);
            else if (name.StartsWith("container_", StringComparison.Ordinal) && Label(labels, "pod") is { Length: > 0 } pod && Label(labels, "namespace") is { Length: > 0 } ns && Label(labels, "container") is { Length: > 0 } container)
            {
                var key = ($"{ns}/{pod}", container);
                if (!containers.TryGetValue(key, out var partial))
                {
                    if (containers.Count >= MaxContainers)
                        continue;
                    containers[key] = partial = new Partial();
                }
                Take(partial, name["container_".Length..], value, time ?? now);
            }
        }
        return new NodeSample(Sample(node), Pods(containers));
    }

    private static void Take(Partial partial, ReadOnlySpan<char> what, double value, DateTimeOffset time)
    {
        if (what is "cpu_usage_seconds_total")
            (partial.Cpu, partial.Time) = (value, time);
        else if (what is "memory_working_set_bytes")
            partial.Memory = value;
        else if (what is "start_time_seconds" && value is > 0 and < 1e11)
            partial.Started = DateTimeOffset.UnixEpoch.AddSeconds(value);
    }

    private static ResourceSample? Sample(Partial partial) => partial is { Cpu: { } cpu, Memory: { } memory } && double.IsFinite(cpu) && double.IsFinite(memory) && cpu >= 0 && memory >= 0
        ? new ResourceSample(partial.Time, cpu, memory, partial.Started)
        : null;

    private static Dictionary<string, IReadOnlyDictionary<string, ResourceSample>> Pods(Dictionary<(string Pod, string Name), Partial> containers)
    {
        var result = new Dictionary<string, IReadOnlyDictionary<string, ResourceSample>>(StringComparer.Ordinal);
        foreach (var pod in containers.GroupBy(c => c.Key.Pod, StringComparer.Ordinal))
        {
            var samples = pod.Select(c => (c.Key.Name, Sample: Sample(c.Value))).ToList();
            // Half a Pod would look like a small one.
            if (samples.TrueForAll(s => s.Sample != null))
                result[pod.Key] = samples.ToDictionary(s => s.Name, s => s.Sample!.Value, StringComparer.Ordinal);
        }
        return result;
    }

    /// <summary>name{labels} value [milliseconds]</summary>
    private static bool TrySplit(ReadOnlySpan<char> line, out ReadOnlySpan<char> name, out ReadOnlySpan<char> labels, out double value, out DateTimeOffset? time)
    {
        name = labels = default;
        (value, time) = (0, null);
        var brace = line.IndexOf('{');
        var end = line.LastIndexOf('}');
        var rest = line;
        if (brace >= 0)
        {
            if (end < brace)
                return false;
            name = line[..brace];
            labels = line[(brace + 1)..end];
            rest = line[(end + 1)..].TrimStart();
        }
        else
        {
            var space = line.IndexOf(' ');
            if (space < 0)
                return false;
            name = line[..space];
            rest = line[(space + 1)..];
        }
        var last = rest.IndexOf(' ');
        if (last >= 0 && long.TryParse(rest[(last + 1)..].Trim(), CultureInfo.InvariantCulture, out var milliseconds) && milliseconds is > 0 and < 253_402_300_799_000)
            time = DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
        return double.TryParse(last < 0 ? rest : rest[..last], NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }

    private static string? Label(ReadOnlySpan<char> labels, string name)
    {
        while (!labels.IsEmpty)
        {
            var equals = labels.IndexOf("=\"");
            if (equals < 0)
                return null;
            var key = labels[..equals].Trim(", ");
            var rest = labels[(equals + 2)..];
            var close = rest.IndexOf('"');
            if (close < 0)
                return null;
            if (key.SequenceEqual(name))
                return rest[..close].ToString();
            labels = rest[(close + 1)..];
        }
        return null;
    }
}
