namespace Hardway.Kubelet.Volumes;

/// <summary>Mounts a block device; one that has no file system yet is given one first. One that has something else on it is never touched.</summary>
internal static class BlockDevice
{
    private const int NothingFound = 2;
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal) { "ext2", "ext3", "ext4", "xfs", "btrfs" };

    public static async Task FormatAndMountAsync(string device, string target, string fileSystem, IReadOnlyList<string> options, CancellationToken stop)
    {
        if (fileSystem.Length == 0)
            fileSystem = "ext4";
        if (!Known.Contains(fileSystem))
            throw new VolumeException($"file system '{fileSystem}' is not one of {string.Join(", ", Known)}");
        var found = await MountProgram.RunAsync("blkid", ["-p", "-s", "TYPE", "-s", "PTTYPE", "-o", "export", device], NothingFound, stop);
        if (found.Trim().Length == 0)
            await MountProgram.RunAsync("mkfs." + fileSystem, fileSystem.StartsWith("ext", StringComparison.Ordinal) ? ["-F", "-m0", device] : [device], 0, stop);
        else if (!found.Split('\n').Contains("TYPE=" + fileSystem))
            throw new VolumeException($"device {device} has something else than {fileSystem} on it: {found.Trim().ReplaceLineEndings(" ")}");
        await MountProgram.MountAsync(fileSystem, device, target, options, stop);
    }
}
