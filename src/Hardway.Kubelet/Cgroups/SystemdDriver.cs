using Hardway.Linux.Cgroups;
using Hardway.Linux.Systemd;

namespace Hardway.Kubelet.Cgroups;

/// <summary>
/// Makes cgroups as systemd slices, so that systemd and the kubelet do not both write the same tree. With cgroup v1 systemd may not have all
/// controllers (in a container it finds them read-only when it starts), so they are also written directly, as runc does for its scopes.
/// </summary>
internal sealed class SystemdDriver(SystemdClient systemd, CgroupHierarchy hierarchy) : IPodCgroupDriver
{
    private const ulong NoLimit = ulong.MaxValue;
    private const string UnitExists = "org.freedesktop.systemd1.UnitExists", NoSuchUnit = "org.freedesktop.systemd1.NoSuchUnit";

    public async Task EnsureAsync(CgroupName name, CgroupResources resources, CancellationToken stop)
    {
        var slice = name.SystemdSlice;
        List<UnitProperty> properties =
        [
            new("Description", $"Pods' cgroup {slice}"),
            new("DefaultDependencies", false),
            new("CPUAccounting", true),
            new("MemoryAccounting", true),
            new("TasksAccounting", true),
            .. Limits(resources),
        ];
        try
        {
            await systemd.StartTransientUnitAsync(slice, properties, stop);
        }
        catch (SystemdException e) when (e.Name == UnitExists)
        {
            await systemd.SetUnitPropertiesAsync(slice, Limits(resources), stop);
        }
        if (hierarchy.IsUnified)
            return;
        hierarchy.Create(name.SystemdPath);
        hierarchy.Apply(name.SystemdPath, resources);
    }

    public async Task RemoveAsync(CgroupName name, CancellationToken stop)
    {
        try
        {
            await systemd.StopUnitAsync(name.SystemdSlice, stop);
        }
        catch (SystemdException e) when (e.Name == NoSuchUnit)
        {
            // Gone already.
        }
        hierarchy.Remove(name.SystemdPath);
    }

    private List<UnitProperty> Limits(CgroupResources resources)
    {
        var properties = new List<UnitProperty>();
        if (resources.CpuShares is { } shares)
            properties.Add(hierarchy.IsUnified ? new("CPUWeight", (ulong)CgroupMath.Weight(shares)) : new("CPUShares", (ulong)shares));
        if (resources.CpuQuota is { } quota)
            properties.Add(new("CPUQuotaPerSecUSec", quota > 0 ? (ulong)(quota * 1_000_000 / resources.CpuPeriod) : NoLimit));
        if (resources.MemoryLimit is { } memory)
            properties.Add(new(hierarchy.IsUnified ? "MemoryMax" : "MemoryLimit", memory > 0 ? (ulong)memory : NoLimit));
        if (resources.PidsLimit is { } pids)
            properties.Add(new("TasksMax", pids > 0 ? (ulong)pids : NoLimit));
        return properties;
    }
}
