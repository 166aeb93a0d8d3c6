using System.Globalization;
using Hardway.Api.Core.V1;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Qos;
using Hardway.Linux.Cgroups;
using Container = Hardway.Api.Core.V1.Container;

namespace Hardway.Kubelet.Containers;

/// <summary>A container's amounts in the runtime's terms. Pure.</summary>
internal static class ContainerResources
{
    public static LinuxContainerResources Build(Pod pod, Container container, long nodeMemory, bool cfsQuota, bool unified, long swapBytes, bool resize = false)
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
            CpuQuota = cfsQuota ? Limit(CgroupMath.Quota(cpuLimit), resize) : 0,
            MemoryLimitInBytes = Limit(memoryLimit, resize),
            OomScoreAdj = OomScore(pod, memoryRequest, nodeMemory),
        };
        if (unified)
        {
            // A container that runs out of memory is killed whole, not one process of it.
            resources.Unified["memory.oom.group"] = "1";
            resources.Unified["memory.swap.max"] = Swap(pod, memoryRequest, memoryLimit, nodeMemory, swapBytes).ToString(CultureInfo.InvariantCulture);
        }
        return resources;
    }

    /// <summary>Only Burstable Pods swap (KEP-2400): each container as much of the node's swap as it asked for of its memory, and none when its request is its limit.</summary>
    private static long Swap(Pod pod, long memoryRequest, long memoryLimit, long nodeMemory, long swapBytes) =>
        swapBytes == 0 || nodeMemory == 0 || memoryRequest == memoryLimit || PodQos.Of(pod) != QosClass.Burstable || Eviction.EvictionRanking.IsCritical(pod)
            ? 0
            : (long)((double)memoryRequest / nodeMemory * swapBytes);

    /// <summary>Zero leaves a running container's limit as it is; to take it away it must be said.</summary>
    private static long Limit(long limit, bool resize) => limit == 0 && resize ? -1 : limit;

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
