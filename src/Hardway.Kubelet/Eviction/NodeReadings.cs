using Hardway.Api;
using Hardway.Grpc;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Qos;
using Hardway.Linux.Cgroups;
using Hardway.Linux.Files;
using Hardway.Linux.Machine;

namespace Hardway.Kubelet.Eviction;

/// <summary>Reads every signal from the machine: memory and processes from /proc, disks by statvfs, the Pods' memory from their cgroup.</summary>
internal sealed class NodeReadings(RuntimeClient runtime, NodeFacts node, string rootDirectory, CgroupHierarchy hierarchy, PodCgroups cgroups)
{
    /// <summary>The images' file system is not the one with the Pods' directories.</summary>
    public bool SeparateImageStore { get; private set; }

    public async Task<IReadOnlyDictionary<EvictionSignal, SignalReading>> ReadAsync(CancellationToken stop)
    {
        var result = new Dictionary<EvictionSignal, SignalReading>();
        var memory = MachineInfo.ReadMeminfo(await File.ReadAllTextAsync("/proc/meminfo", stop));
        result[EvictionSignal.MemoryAvailable] = new(Quantity.FromBytes(memory.GetValueOrDefault("MemAvailable")), Quantity.FromBytes(node.Machine.MemoryBytes));
        Disk(result, rootDirectory, EvictionSignal.NodefsAvailable, EvictionSignal.NodefsInodesFree);
        if (await ImageStoreAsync(stop) is { } images)
        {
            SeparateImageStore = DirectoryUsage.Device(images) != DirectoryUsage.Device(rootDirectory);
            Disk(result, images, EvictionSignal.ImagefsAvailable, EvictionSignal.ImagefsInodesFree);
            // Writable layers are in the runtime's store, beside the images.
            Disk(result, images, EvictionSignal.ContainerfsAvailable, EvictionSignal.ContainerfsInodesFree);
        }
        if (RunningProcesses(await File.ReadAllTextAsync("/proc/loadavg", stop)) is { } running)
            result[EvictionSignal.PidAvailable] = new(Quantity.FromValue(Math.Max(0, node.Machine.MaxPids - running)), Quantity.FromValue(node.Machine.MaxPids));
        if (PodsMemory() is { } pods)
            result[EvictionSignal.AllocatableMemoryAvailable] = pods;
        return result;
    }

    /// <summary>The fourth field of loadavg is runnable/all threads.</summary>
    internal static long? RunningProcesses(string loadavg) =>
        loadavg.Split(' ') is [_, _, _, var field, ..] && field.Split('/') is [_, var all] && long.TryParse(all, System.Globalization.CultureInfo.InvariantCulture, out var count) ? count : null;

    private async Task<string?> ImageStoreAsync(CancellationToken stop)
    {
        try
        {
            var place = (await runtime.ImageFsInfoAsync(stop)).ImageFilesystems.FirstOrDefault()?.FsId?.Mountpoint;
            return string.IsNullOrEmpty(place) || !Directory.Exists(place) ? null : place;
        }
        catch (GrpcException)
        {
            // A runtime that does not answer is told by the node's Ready condition.
            return null;
        }
    }

    private static void Disk(Dictionary<EvictionSignal, SignalReading> readings, string path, EvictionSignal bytes, EvictionSignal inodes)
    {
        var disk = FileSystemStat.Of(path);
        readings[bytes] = new(Quantity.FromBytes((long)disk.AvailableBytes), Quantity.FromBytes((long)disk.CapacityBytes));
        // Some file systems (btrfs) do not count inodes.
        if (disk.Inodes > 0)
            readings[inodes] = new(Quantity.FromValue((long)disk.InodesFree), Quantity.FromValue((long)disk.Inodes));
    }

    private SignalReading? PodsMemory()
    {
        var path = cgroups.Path(cgroups.All);
        var (limitFile, usageFile, inactive) = hierarchy.IsUnified ? ("memory.max", "memory.current", "inactive_file") : ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file");
        if (hierarchy.ReadNumber("memory", path, limitFile) is not { } limit || limit > node.Machine.MemoryBytes || hierarchy.ReadNumber("memory", path, usageFile) is not { } usage)
            return null;
        var cold = hierarchy.Read("memory", path, "memory.stat")?.Split('\n').FirstOrDefault(l => l.StartsWith(inactive + " ", StringComparison.Ordinal))?[(inactive.Length + 1)..];
        var workingSet = Math.Max(0, usage - (long.TryParse(cold, System.Globalization.CultureInfo.InvariantCulture, out var bytes) ? bytes : 0));
        return new(Quantity.FromBytes(Math.Max(0, limit - workingSet)), Quantity.FromBytes(limit));
    }
}
