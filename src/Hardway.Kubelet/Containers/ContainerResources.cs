using Hardway.Api.Core.V1;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Qos;
using Hardway.Linux.Cgroups;
using Container = Hardway.Api.Core.V1.Container;

namespace Hardway.Kubelet.Containers;

/// <summary>A container's amounts in the runtime's terms. Pure.</summary>
internal static class ContainerResources
{
    public static LinuxContainerResources Build(Pod pod, Container container, long nodeMemory, bool cfsQuota, bool unified, bool noSwap)
    {
        var requests = container.Resources.Requests;
        var limits = container.Resources.Limits;
        var cpuLimit = limits != null && limits.TryGetValue("cpu", out var cl) ? cl.MilliValue : 0;
        // Without a request the limit is the request.
        var cpuRequest = requests != null && requests.TryGetValue("cpu", out var cr) ? cr.MilliValue : cpuLimit;
        var memoryLimit = limits != null && limits.TryGetValue("memory", out var ml) ? ml.Value : 0;
        var memoryRequest = requests != null && requests.TryGetValue("memory", out var mr) ? mr.Value : memoryLimit;
        var resources = new LinuxContainerResources
        {
            CpuShares = CgroupMath.Shares(cpuRequest),
            CpuPeriod = CgroupMath.DefaultPeriod,
            CpuQuota = cfsQuota ? CgroupMath.Quota(cpuLimit) : 0,
            MemoryLimitInBytes = memoryLimit,
            OomScoreAdj = OomScore(pod, memoryRequest, nodeMemory),
        };
        if (unified)
        {
            // A container that runs out of memory is killed whole, not one process of it.
            resources.Unified["memory.oom.group"] = "1";
            if (noSwap)
                resources.Unified["memory.swap.max"] = "0";
        }
        return resources;
    }

    /// <summary>Guaranteed Pods are killed last, BestEffort first, Burstable by how much of the node they asked for.</summary>
    public static int OomScore(Pod pod, long memoryRequest, long nodeMemory)
    {
        if (pod.Spec.PriorityClassName == "system-node-critical")
            return -997;
        switch (PodQos.Of(pod))
        {
            case QosClass.Guaranteed:
                return -997;
            case QosClass.BestEffort:
                return 1000;
            default:
                var score = 1000 - (nodeMemory > 0 ? (int)(1000L * Math.Min(memoryRequest, nodeMemory) / nodeMemory) : 0);
                return Math.Clamp(score, 3, 999);
        }
    }
}
