namespace Hardway.Linux.Cgroups;

/// <summary>Limits of one cgroup; null leaves a value alone, a negative or zero limit means none.</summary>
public sealed record CgroupResources(long? CpuShares = null, long? CpuQuota = null, long CpuPeriod = CgroupMath.DefaultPeriod, long? MemoryLimit = null, long? PidsLimit = null);
