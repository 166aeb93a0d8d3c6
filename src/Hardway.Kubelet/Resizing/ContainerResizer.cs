using Hardway.Api.Core.V1;
using Hardway.Grpc;
using Hardway.Kubelet.Cgroups;
using Hardway.Kubelet.Configuration;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Events;
using Hardway.Kubelet.Qos;
using Hardway.Linux.Cgroups;

namespace Hardway.Kubelet.Resizing;

/// <summary>A container that is to be changed while it runs.</summary>
internal sealed record ResizeTarget(Api.Core.V1.Container Container, string Id);

/// <summary>
/// Brings running containers to their new resources: 1. the Pod's cgroup is widened to the greater of old and new, 2. containers are changed, those
/// that shrink first, 3. the Pod's cgroup gets its new bounds. A memory limit below what is in use is not set, for that would kill.
/// </summary>
internal sealed class ContainerResizer(
    RuntimeClient runtime, PodCgroups names, IPodCgroupDriver cgroups, PodEvents events, KubeletConfig config, NodeFacts node, bool unifiedCgroups)
{
    public async Task ResizeAsync(Pod pod, IReadOnlyList<ResizeTarget> targets, ResizeProgress progress, CancellationToken stop)
    {
        var final = names.ResourcesOf(pod);
        try
        {
            // 1.
            if (config.CgroupsPerQos)
                await cgroups.EnsureAsync(names.Of(pod), Widest(final, names.ResourcesOf(Before(pod, targets, progress))), stop);
            // 2.
            foreach (var target in targets.OrderBy(t => MemoryLimit(t.Container.Resources) ?? long.MaxValue))
                await OneAsync(pod, target, progress, stop);
            // 3.
            if (config.CgroupsPerQos)
                await cgroups.EnsureAsync(names.Of(pod), final, stop);
            events.Normal(pod, null, "ResizeCompleted", $"Pod resize completed: {string.Join(", ", targets.Select(t => t.Container.Name))}");
        }
        catch (Exception e) when (e is GrpcException or IOException)
        {
            var reason = e is GrpcException grpc ? grpc.Detail : e.Message;
            progress.Failed(reason);
            events.Warning(pod, null, "ResizeError", $"Pod resize error: {reason}");
        }
    }

    private async Task OneAsync(Pod pod, ResizeTarget target, ResizeProgress progress, CancellationToken stop)
    {
        if (MemoryLimit(target.Container.Resources) is { } limit && await runtime.MemoryUsageAsync(target.Id, stop) is { } used && used > limit)
            throw new IOException($"container {target.Container.Name} uses {used} bytes of memory, more than the new limit of {limit}");
        await runtime.UpdateContainerResourcesAsync(
            target.Id, Containers.ContainerResources.Build(pod, target.Container, node.Machine.MemoryBytes, config.CpuCfsQuota, unifiedCgroups, config.SwapBehavior == "LimitedSwap" ? node.Machine.SwapBytes : 0, resize: true), stop);
        progress.Actuated(pod, target.Container.Name);
    }

    /// <summary>The Pod as its containers still are.</summary>
    private static Pod Before(Pod pod, IReadOnlyList<ResizeTarget> targets, ResizeProgress progress)
    {
        var before = (Pod)pod.DeepClone();
        foreach (var container in PodQos.AllContainers(before).Where(c => targets.Any(t => t.Container.Name == c.Name)))
            container.Resources = progress.ActuatedResources(pod, container.Name) ?? container.Resources;
        return before;
    }

    private static CgroupResources Widest(CgroupResources a, CgroupResources b) => a with
    {
        CpuShares = Math.Max(a.CpuShares ?? 0, b.CpuShares ?? 0),
        CpuQuota = Wider(a.CpuQuota, b.CpuQuota),
        MemoryLimit = Wider(a.MemoryLimit, b.MemoryLimit),
    };

    /// <summary>Zero is no bound.</summary>
    private static long? Wider(long? a, long? b) => a is null or 0 || b is null or 0 ? 0 : Math.Max(a.Value, b.Value);

    private static long? MemoryLimit(ResourceRequirements resources) => resources.Limits?.TryGetValue("memory", out var limit) == true ? limit.Value : null;
}
