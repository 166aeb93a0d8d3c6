using Hardway.Lab.Host;

namespace Hardway.Lab.Machines;

/// <summary>
/// A machine's disk: an overlay over the base tree, and plain folders for what cannot lie on an overlay (containerd's snapshots are overlays
/// themselves) or should not (etcd's and the kubelet's data). It survives the machine being killed; only `down` deletes it.
/// </summary>
internal sealed class MachineMounts(LabPaths paths, string name)
{
    /// <summary>Folder beside the overlay → where the machine sees it.</summary>
    public static readonly IReadOnlyList<(string Folder, string Inside)> Plain =
        [("containerd", "/var/lib/containerd"), ("kubelet", "/var/lib/kubelet"), ("etcd", "/var/lib/etcd")];

    public string Upper => Path.Combine(paths.MachineFolder(name), "upper");

    public async Task MountAsync(string baseTree, CancellationToken cancellation)
    {
        var folder = paths.MachineFolder(name);
        foreach (var part in Plain.Select(p => p.Folder).Concat(["upper", "work", "root"])) Directory.CreateDirectory(Path.Combine(folder, part));
        // etcd refuses a data folder that others can read.
        File.SetUnixFileMode(Path.Combine(folder, "etcd"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await HostCommand.RunAsync("mount", ["-t", "overlay", "-o", $"lowerdir={baseTree},upperdir={Upper},workdir={Path.Combine(folder, "work")}", "hardway-" + name, paths.MountPoint(name)], cancellation);
    }

    public async Task UnmountAsync(CancellationToken cancellation)
    {
        foreach (var mount in MountsBelow(paths.MachineFolder(name))) await HostCommand.RunAsync("umount", [mount], cancellation);
    }

    /// <summary>Mount points at or below a folder, the latest mounted first.</summary>
    public static IReadOnlyList<string> MountsBelow(string folder) =>
        [.. File.ReadLines("/proc/self/mountinfo").Select(line => line.Split(' ')[4].Replace("\\040", " ", StringComparison.Ordinal))
            .Where(mount => mount == folder || mount.StartsWith(folder + "/", StringComparison.Ordinal)).Reverse()];
}
