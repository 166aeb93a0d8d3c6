using Hardway.Kubelet.Configuration;

namespace Hardway.Kubelet.Eviction;

/// <summary>The thresholds of a configuration, checked: every signal known, every amount readable, every soft one with its grace period.</summary>
internal static class EvictionConfig
{
    public static IReadOnlyList<EvictionThreshold> Thresholds(KubeletConfig config) => Read(config, new ConfigProblems());

    public static IReadOnlyList<EvictionThreshold> Read(KubeletConfig config, ConfigProblems problems)
    {
        var result = new List<EvictionThreshold>();
        foreach (var (name, text) in config.EvictionHard)
        {
            if (Value("evictionHard", name, text, problems) is { } value)
                result.Add(new EvictionThreshold(value.Signal, value.Value, TimeSpan.Zero, MinReclaim(config, name, problems)));
        }
        foreach (var (name, text) in config.EvictionSoft)
        {
            if (Value("evictionSoft", name, text, problems) is not { } value)
                continue;
            if (!config.EvictionSoftGracePeriod.TryGetValue(name, out var grace) || !GoDuration.TryParse(grace, out var period) || period <= TimeSpan.Zero)
                problems.Add($"evictionSoftGracePeriod.{name}", "must be a duration such as 1m30s, for evictionSoft has this signal");
            else
                result.Add(new EvictionThreshold(value.Signal, value.Value, period, MinReclaim(config, name, problems)));
        }
        // Pods together may not use more than they are given either, when their cgroup is what enforces it.
        if (config.CgroupsPerQos && config.EnforceNodeAllocatable.Contains("pods"))
            result.AddRange(result.Where(t => t is { Signal: EvictionSignal.MemoryAvailable, IsHard: true }).Select(t => t with { Signal = EvictionSignal.AllocatableMemoryAvailable }).ToList());
        return result;
    }

    private static (EvictionSignal Signal, ThresholdValue Value)? Value(string map, string name, string text, ConfigProblems problems)
    {
        if (!EvictionSignals.TryParse(name, out var signal))
            problems.Add($"{map}.{name}", "is not a signal; memory.available, nodefs.available, nodefs.inodesFree, imagefs.available, imagefs.inodesFree, containerfs.available, containerfs.inodesFree and pid.available are");
        else if (!ThresholdValue.TryParse(text, out var value))
            problems.Add($"{map}.{name}", $"'{text}' is neither an amount such as 100Mi nor a percentage such as 10%");
        else
            // Nothing and all are ways to say: no threshold.
            return value.Percent is 0 or 100 ? null : (signal, value);
        return null;
    }

    private static ThresholdValue? MinReclaim(KubeletConfig config, string name, ConfigProblems problems)
    {
        if (!config.EvictionMinimumReclaim.TryGetValue(name, out var text))
            return null;
        if (ThresholdValue.TryParse(text, out var value))
            return value;
        problems.Add($"evictionMinimumReclaim.{name}", $"'{text}' is neither an amount nor a percentage");
        return null;
    }
}
