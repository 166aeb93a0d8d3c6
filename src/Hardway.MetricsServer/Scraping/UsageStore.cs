using System.Collections.Concurrent;

namespace Hardway.MetricsServer.Scraping;

/// <summary>CPU as cores in use over a window, memory as bytes at its end.</summary>
internal readonly record struct Usage(DateTimeOffset Time, TimeSpan Window, double Cores, double MemoryBytes);

/// <summary>
/// The last two samples of every node and Pod; a rate needs both. A container that began between the two counts from its start, one
/// that was restarted does too. Nodes that are gone are forgotten. One writer a node; readers are any threads.
/// </summary>
internal sealed class UsageStore
{
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(1);
    private readonly ConcurrentDictionary<string, (NodeSample? Before, NodeSample Last)> _nodes = new(StringComparer.Ordinal);

    public void Put(string node, NodeSample sample) => _nodes.AddOrUpdate(node, _ => (null, sample), (_, old) => SameMoment(old.Last, sample) ? old : (old.Last, sample));

    public void Keep(IReadOnlySet<string> nodes)
    {
        foreach (var gone in _nodes.Keys.Where(n => !nodes.Contains(n)))
            _nodes.TryRemove(gone, out _);
    }

    public Usage? Node(string name) =>
        _nodes.TryGetValue(name, out var samples) && samples is { Before.Node: { } before, Last.Node: { } last } ? Between(before, last) : null;

    /// <summary>The containers of a Pod; null when nothing (or not all of it) is known.</summary>
    public IReadOnlyList<(string Name, Usage Usage)>? Pod(string node, string key)
    {
        if (!_nodes.TryGetValue(node, out var samples) || !samples.Last.Pods.TryGetValue(key, out var containers))
            return null;
        var before = samples.Before?.Pods.GetValueOrDefault(key);
        var result = new List<(string, Usage)>();
        foreach (var (name, last) in containers)
        {
            var usage = before != null && before.TryGetValue(name, out var first) && first.Started == last.Started && first.CpuSeconds <= last.CpuSeconds ? Between(first, last) : SinceStart(last);
            if (usage is not { } known)
                return null;
            result.Add((name, known));
        }
        return result;
    }

    private static bool SameMoment(NodeSample a, NodeSample b) => a.Node is { } x && b.Node is { } y && y.Time <= x.Time;

    private static Usage? Between(ResourceSample first, ResourceSample last)
    {
        var window = last.Time - first.Time;
        return window < Least || last.CpuSeconds < first.CpuSeconds ? null : new Usage(last.Time, window, (last.CpuSeconds - first.CpuSeconds) / window.TotalSeconds, last.MemoryBytes);
    }

    private static Usage? SinceStart(ResourceSample last)
    {
        var window = last.Time - last.Started;
        return last.Started == default || window < Least || window > TimeSpan.FromMinutes(2) ? null : new Usage(last.Time, window, last.CpuSeconds / window.TotalSeconds, last.MemoryBytes);
    }
}
