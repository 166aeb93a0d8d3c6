using Hardway.Grpc;
using Hardway.Kubelet.Cgroups;
using Hardway.Kubelet.Configuration;
using Hardway.Kubelet.Csi;
using Hardway.Kubelet.Logs;
using Hardway.Kubelet.Pods;
using Hardway.Kubelet.Qos;
using Hardway.Kubelet.Volumes;
using Hardway.Linux.Cgroups;
using Microsoft.Extensions.Logging;

namespace Hardway.Kubelet.Housekeeping;

/// <summary>
/// Takes away what Pods that nobody knows any more have left on this node: directories with their mounts, logs, links, cgroups. What is
/// still in the runtime is the PLEG's: it gives such a Pod a worker, and a Pod with a worker is never touched here. Looks first when
/// the sources are complete, then every minute.
/// </summary>
internal sealed partial class Leftovers(
    PodWorkers workers, VolumeSet volumes, CsiVolumes csi, PodDirectories directories, PodCgroups names, IPodCgroupDriver cgroups, CgroupHierarchy hierarchy,
    KubeletConfig config, Func<bool> sourcesReady, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(5), Period = TimeSpan.FromMinutes(1);

    public async Task RunAsync(CancellationToken stop)
    {
        await Task.Delay(First, time, stop);
        using var timer = new PeriodicTimer(Period, time);
        do
        {
            try
            {
                if (sourcesReady())
                    await SweepAsync(stop);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or GrpcException)
            {
                LogFailed(log, e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stop));
    }

    internal async Task SweepAsync(CancellationToken stop)
    {
        foreach (var directory in Directory.GetDirectories(directories.Pods).Where(d => !workers.Knows(Path.GetFileName(d))))
        {
            LogRemoved(log, directory);
            await volumes.TearDownAsync(Path.GetFileName(directory), stop);
        }
        await csi.SweepAsync(stop);
        foreach (var directory in Directory.GetDirectories(config.PodLogsDir))
        {
            if (LogPaths.UidOf(Path.GetFileName(directory)) is { } uid && !workers.Knows(uid))
                Directory.Delete(directory, true);
        }
        if (Directory.Exists(LogPaths.LinkDirectory))
        {
            foreach (var link in new DirectoryInfo(LogPaths.LinkDirectory).EnumerateFiles("*.log").Where(l => l.LinkTarget is { } target && !File.Exists(target)))
                link.Delete();
        }
        if (config.CgroupsPerQos)
            await SweepCgroupsAsync(stop);
    }

    private async Task SweepCgroupsAsync(CancellationToken stop)
    {
        var known = workers.Pods.Select(p => "pod" + p.Metadata.Uid.Replace('-', '_')).ToHashSet(StringComparer.Ordinal);
        foreach (var qos in Enum.GetValues<QosClass>())
        {
            var parent = names.Class(qos);
            if (hierarchy.Directory(hierarchy.IsUnified ? "" : "memory", names.Path(parent)) is not { } directory || !Directory.Exists(directory))
                continue;
            foreach (var child in Directory.GetDirectories(directory).Select(Path.GetFileName).OfType<string>())
            {
                if (PodPart(child, parent) is { } part && !known.Contains(part.Replace('-', '_')))
                    await cgroups.RemoveAsync(parent.Child(part), stop);
            }
        }
    }

    /// <summary>The last name of a Pod's cgroup, podUID, from its directory; null when it is none.</summary>
    private string? PodPart(string child, CgroupName parent)
    {
        if (!config.SystemdCgroups)
            return child.StartsWith("pod", StringComparison.Ordinal) ? child : null;
        var prefix = parent.SystemdSlice[..^".slice".Length] + "-pod";
        return child.StartsWith(prefix, StringComparison.Ordinal) && child.EndsWith(".slice", StringComparison.Ordinal) ? child[(prefix.Length - 3)..^".slice".Length] : null;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Directory} belongs to no Pod any more and is removed")]
    private static partial void LogRemoved(ILogger log, string directory);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Leftovers of Pods could not be removed: {Reason}")]
    private static partial void LogFailed(ILogger log, string reason);
}
