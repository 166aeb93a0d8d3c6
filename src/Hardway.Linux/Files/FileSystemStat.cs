namespace Hardway.Linux.Files;

/// <summary>Size and free space of the file system that holds a path.</summary>
public readonly record struct FileSystemStat(ulong CapacityBytes, ulong AvailableBytes, ulong UsedBytes, ulong Inodes, ulong InodesFree)
{
    public static FileSystemStat Of(string path)
    {
        Native.Check(Native.StatFileSystem(path, out var stat), $"statvfs {path}");
        return new FileSystemStat(
            stat.Blocks * stat.FragmentSize, stat.BlocksAvailable * stat.FragmentSize, (stat.Blocks - stat.BlocksFree) * stat.FragmentSize,
            stat.Files, stat.FilesFree);
    }
}
