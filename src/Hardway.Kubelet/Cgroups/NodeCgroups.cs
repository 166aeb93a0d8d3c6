using Hardway.Api;
using Hardway.Hosting;
using Hardway.Kubelet.Configuration;
using Hardway.Kubelet.Qos;
using Hardway.Linux.Cgroups;

namespace Hardway.Kubelet.Cgroups;

/// <summary>
/// The node's allocatable, enforced: all Pods together are bound to the machine less what is reserved (eviction keeps them below that), and, where the
/// configuration says so, the system's and Kubernetes' own cgroups to their reservation. Those must be there already: whose they are makes them.
/// </summary>
internal sealed class NodeCgroups(KubeletConfig config, NodeFacts node, PodCgroups names, IPodCgroupDriver cgroups, CgroupHierarchy hierarchy)
{
    public async Task EnsureAsync(CancellationToken stop)
    {
        if (!config.CgroupsPerQos)
            return;
        var least = new CgroupResources(CpuShares: CgroupMath.MinShares);
        await cgroups.EnsureAsync(names.All, PodsTogether(), stop);
        await cgroups.EnsureAsync(names.Class(QosClass.Burstable), least, stop);
        await cgroups.EnsureAsync(names.Class(QosClass.BestEffort), least, stop);
        Enforce("system-reserved", config.SystemReservedCgroup, config.SystemReserved);
        Enforce("kube-reserved", config.KubeReservedCgroup, config.KubeReserved);
    }

    internal CgroupResources PodsTogether()
    {
        var left = new CgroupResources(CpuShares: CgroupMath.Shares(Less("cpu").MilliValue));
        return config.EnforceNodeAllocatable.Contains("pods")
            ? left with { MemoryLimit = Less("memory").Value, PidsLimit = Reserved(config.SystemReserved, "pid") + Reserved(config.KubeReserved, "pid") is { IsZero: false } pids ? node.Machine.MaxPids - pids.Value : null }
            : left;
    }

    private Quantity Less(string resource)
    {
        var left = node.Capacity.GetValueOrDefault(resource) - Reserved(config.SystemReserved, resource) - Reserved(config.KubeReserved, resource);
        return left.Sign < 0 ? Quantity.Zero : left;
    }

    private static Quantity Reserved(IReadOnlyDictionary<string, string> reserved, string name) => reserved.TryGetValue(name, out var text) && Quantity.TryParse(text, out var amount) ? amount : Quantity.Zero;

    private void Enforce(string what, string path, IReadOnlyDictionary<string, string> reserved)
    {
        var compressible = config.EnforceNodeAllocatable.Contains(what + "-compressible");
        if (!compressible && !config.EnforceNodeAllocatable.Contains(what))
            return;
        if (!hierarchy.Exists(path))
            throw new ComponentException($"enforceNodeAllocatable has {what}, and its cgroup {path} does not exist: make it first, or leave {what} out");
        hierarchy.Apply(path, new CgroupResources(
            CpuShares: Reserved(reserved, "cpu") is { IsZero: false } cpu ? CgroupMath.Shares(cpu.MilliValue) : null,
            MemoryLimit: !compressible && Reserved(reserved, "memory") is { IsZero: false } memory ? memory.Value : null,
            PidsLimit: !compressible && Reserved(reserved, "pid") is { IsZero: false } pids ? pids.Value : null));
    }
}
