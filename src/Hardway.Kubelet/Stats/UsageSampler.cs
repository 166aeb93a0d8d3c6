using System.Globalization;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Runtime;
using Hardway.Linux.Machine;

namespace Hardway.Kubelet.Stats;

internal readonly record struct Usage(ulong CpuNanoseconds, ulong NanoCores, ulong WorkingSet, ulong MemoryUsage, ulong Available, ulong Rss = 0);

internal sealed record ContainerUsage(string Name, DateTimeOffset StartTime, Usage Usage, ulong LayerBytes, ulong LayerInodes, string Id, string Image);

internal sealed record PodUsage(string Uid, string Namespace, string Name, DateTimeOffset StartTime, IReadOnlyList<ContainerUsage> Containers, Usage Total);

internal sealed record UsageSample(DateTimeOffset Time, DateTimeOffset BootTime, Usage Node, IReadOnlyList<PodUsage> Pods);

/// <summary>Reads what containers and the node have used; rates come from the sample before. Calls within a second share one sample.</summary>
internal sealed class UsageSampler(RuntimeClient runtime, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);
    private readonly SemaphoreSlim _one = new(1);
    private readonly Dictionary<string, (ulong Cpu, long At, ulong Rate)> _before = new(StringComparer.Ordinal);
    private UsageSample? _last;

    public void Dispose() => _one.Dispose();

    public async Task<UsageSample> TakeAsync(CancellationToken stop)
    {
        await _one.WaitAsync(stop);
        try
        {
            if (_last != null && time.GetUtcNow() - _last.Time < Fresh)
                return _last;
            return _last = await ReadAsync(stop);
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task<UsageSample> ReadAsync(CancellationToken stop)
    {
        var listing = runtime.ListContainersAsync(new ContainerFilter { State = new ContainerStateValue { State = ContainerState.ContainerRunning } }, stop);
        var stats = (await runtime.ListContainerStatsAsync(stop)).ToDictionary(s => s.Attributes.Id, StringComparer.Ordinal);
        var pods = new List<PodUsage>();
        foreach (var group in (await listing).GroupBy(c => c.Labels[RuntimeLabels.PodUid]))
        {
            var containers = group.Where(c => stats.ContainsKey(c.Id)).Select(c => new ContainerUsage(
                c.Metadata.Name, RuntimeContainer.Time(c.CreatedAt) ?? DateTimeOffset.UnixEpoch, Of(stats[c.Id]),
                stats[c.Id].WritableLayer?.UsedBytes?.Value ?? 0, stats[c.Id].WritableLayer?.InodesUsed?.Value ?? 0, c.Id, c.Image?.Image ?? "")).ToList();
            if (containers.Count == 0)
                continue;
            var labels = group.First().Labels;
            pods.Add(new PodUsage(group.Key, labels[RuntimeLabels.PodNamespace], labels[RuntimeLabels.PodName], containers.Min(c => c.StartTime), containers, Sum(containers)));
        }
        var boot = time.GetUtcNow() - TimeSpan.FromMilliseconds(Environment.TickCount64);
        return new UsageSample(time.GetUtcNow(), boot, Node(), pods);
    }

    private Usage Of(ContainerStats stats)
    {
        var cpu = stats.Cpu?.UsageCoreNanoSeconds?.Value ?? 0;
        var memory = stats.Memory;
        return new Usage(cpu, Rate(stats.Attributes.Id, cpu), memory?.WorkingSetBytes?.Value ?? 0, memory?.UsageBytes?.Value ?? memory?.WorkingSetBytes?.Value ?? 0, memory?.AvailableBytes?.Value ?? 0, memory?.RssBytes?.Value ?? 0);
    }

    private static Usage Sum(List<ContainerUsage> containers) => containers.Aggregate(default(Usage), (sum, c) => new Usage(
        sum.CpuNanoseconds + c.Usage.CpuNanoseconds, sum.NanoCores + c.Usage.NanoCores, sum.WorkingSet + c.Usage.WorkingSet, sum.MemoryUsage + c.Usage.MemoryUsage, 0));

    /// <summary>The machine's: /proc/stat counts hundredths of a second.</summary>
    private Usage Node()
    {
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..];
        var busy = fields.Select(f => ulong.Parse(f, CultureInfo.InvariantCulture)).Select((value, i) => i is 3 or 4 ? 0 : i < 8 ? value : 0).Aggregate(0UL, (a, b) => a + b);
        var nanoseconds = busy * 10_000_000;
        var memory = MachineInfo.ReadMeminfo(File.ReadAllText("/proc/meminfo"));
        var used = (ulong)Math.Max(0, memory.GetValueOrDefault("MemTotal") - memory.GetValueOrDefault("MemAvailable"));
        return new Usage(nanoseconds, Rate("node", nanoseconds), used, used, (ulong)memory.GetValueOrDefault("MemAvailable"));
    }

    private ulong Rate(string key, ulong cpu)
    {
        var now = time.GetTimestamp();
        if (!_before.TryGetValue(key, out var before) || cpu < before.Cpu)
        {
            _before[key] = (cpu, now, 0);
            return 0;
        }
        var seconds = time.GetElapsedTime(before.At, now).TotalSeconds;
        var rate = seconds > 0 ? (ulong)((cpu - before.Cpu) / seconds) : before.Rate;
        _before[key] = (cpu, now, rate);
        return rate;
    }
}
