using Hardway.Lab.Host;
using Hardway.Provisioning;

namespace Hardway.Lab.CommandLine;

/// <summary>`hardway down`: the lab goes with its cluster; the cluster's certificates and kubeconfigs are of no use without its machines and go too.</summary>
internal static class DownCommand
{
    public static async Task<int> RunAsync(JumpboxSession session, OutputFormat format, CancellationToken stop)
    {
        Preflight.RequireRoot();
        using var only = LabLock.TakeCluster(session.Paths);
        var machines = session.Machines(null);
        await using var view = session.View(format, machines);
        await session.Lab(machines).DownAsync(view.Step, stop);
        Provisioner.RemoveJumpboxHosts();
        if (Directory.Exists(session.ClusterDirectory)) Directory.Delete(session.ClusterDirectory, recursive: true);
        if (Directory.Exists(session.Paths.Clusters) && !Directory.EnumerateFileSystemEntries(session.Paths.Clusters).Any()) Directory.Delete(session.Paths.Clusters);
        await view.EndStepsAsync();
        view.Say($"removed; nothing is left on this host but the caches in {session.Paths.Root} (base tree, images)");
        return 0;
    }
}
