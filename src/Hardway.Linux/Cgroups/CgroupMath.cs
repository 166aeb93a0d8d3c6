namespace Hardway.Linux.Cgroups;

/// <summary>Conversions between CPU amounts and what cgroups v1 and v2 understand.</summary>
public static class CgroupMath
{
    public const long MinShares = 2, MaxShares = 262144, DefaultPeriod = 100_000, MinQuota = 1000;

    /// <summary>CPU shares for a request of so many thousandths of a CPU. No request: the least.</summary>
    public static long Shares(long milliCpu) => milliCpu <= 0 ? MinShares : Math.Clamp(milliCpu * 1024 / 1000, MinShares, MaxShares);

    /// <summary>CFS quota in microseconds a period; 0 means no limit.</summary>
    public static long Quota(long milliCpu, long period = DefaultPeriod) => milliCpu <= 0 ? 0 : Math.Max(MinQuota, milliCpu * period / 1000);

    /// <summary>cgroup v2 weight (1..10000) that stands for v1 shares (2..262144), KEP-2254.</summary>
    public static long Weight(long shares) => shares == 0 ? 0 : 1 + (Math.Clamp(shares, MinShares, MaxShares) - 2) * 9999 / 262142;

    /// <summary>The value of v2's cpu.max.</summary>
    public static string CpuMax(long quota, long period = DefaultPeriod) => quota > 0 ? $"{quota} {period}" : $"max {period}";
}
