using Hardway.Api.Core.V1;
using Hardway.Kubelet.Logs;
using Hardway.Kubelet.Configuration;
using Hardway.Kubelet.Qos;
using Hardway.Kubelet.Stats;
using Hardway.Kubelet.Volumes;
using Hardway.Linux.Cgroups;
using Hardway.Linux.Files;

namespace Hardway.Kubelet.Eviction;

/// <summary>Measures what Pods use: memory and writable layers as the runtime counts them, local volumes and logs by walking their files.</summary>
internal sealed class ConsumptionReader(UsageSampler sampler, PodDirectories directories, PodCgroups cgroups, CgroupHierarchy hierarchy, KubeletConfig config)
{
    private const string EmptyDirPlugin = "kubernetes.io~empty-dir";

    public async Task<IReadOnlyList<PodConsumption>> ReadAsync(IEnumerable<Pod> pods, CancellationToken stop)
    {
        var usages = (await sampler.TakeAsync(stop)).Pods.ToDictionary(p => p.Uid, StringComparer.Ordinal);
        var result = new List<PodConsumption>();
        foreach (var pod in pods)
            result.Add(Read(pod, usages.GetValueOrDefault(pod.Metadata.Uid), stop));
        return result;
    }

    private PodConsumption Read(Pod pod, PodUsage? usage, CancellationToken stop)
    {
        var logs = LogPaths.PodDirectory(config.PodLogsDir, pod.Metadata.Namespace, pod.Metadata.Name, pod.Metadata.Uid);
        var containers = (usage?.Containers ?? []).Select(c => new ContainerConsumption(
            c.Name, (long)c.Usage.WorkingSet, (long)c.LayerBytes, (long)c.LayerInodes, DirectoryUsage.Of($"{logs}/{c.Name}", stop).Bytes, 0)).ToList();
        if (containers.Count > 0)
            containers[0] = containers[0] with { Processes = hierarchy.ReadNumber("pids", cgroups.Path(cgroups.Of(pod)), "pids.current") ?? 0 };
        var emptyDirs = new Dictionary<string, long>(StringComparer.Ordinal);
        var volumes = default(DirectoryUsage);
        foreach (var volume in pod.Spec.Volumes ?? [])
        {
            if (volume.EmptyDir is not { } source)
                continue;
            var used = DirectoryUsage.Of(directories.Volume(pod, EmptyDirPlugin, volume.Name), stop);
            emptyDirs[volume.Name] = used.Bytes;
            // Memory is counted where it is charged: to the containers.
            if (source.Medium != "Memory")
                volumes += used;
        }
        return new PodConsumption(pod, containers, volumes.Bytes, volumes.Inodes, emptyDirs);
    }
}
