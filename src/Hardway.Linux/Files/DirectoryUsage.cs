namespace Hardway.Linux.Files;

/// <summary>
/// What a directory's files take on disk: blocks, not lengths, so that holes are free and small files are not. Links are not followed, other
/// file systems not entered, a file with several names counted once. What disappears meanwhile is not counted.
/// </summary>
public readonly record struct DirectoryUsage(long Bytes, long Inodes)
{
    private const int CurrentDirectory = -100, NoFollow = 0x100, BlockSize = 512;
    private const uint Basic = 0x7FF;

    public static DirectoryUsage operator +(DirectoryUsage a, DirectoryUsage b) => new(a.Bytes + b.Bytes, a.Inodes + b.Inodes);

    public static DirectoryUsage Of(string path, CancellationToken cancellation = default)
    {
        if (Native.Statx(CurrentDirectory, path, NoFollow, Basic, out var top) != 0)
            return default;
        var total = new DirectoryUsage((long)top.Blocks * BlockSize, 1);
        if (!Directory.Exists(path))
            return total;
        var device = (top.DeviceMajor, top.DeviceMinor);
        var seen = new HashSet<ulong>();
        var pending = new Stack<string>([path]);
        while (pending.TryPop(out var directory))
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (var entry in Entries(directory))
            {
                if (Native.Statx(CurrentDirectory, entry, NoFollow, Basic, out var stat) != 0 || (stat.DeviceMajor, stat.DeviceMinor) != device)
                    continue;
                var isDirectory = (stat.Mode & 0xF000) == 0x4000;
                if (!isDirectory && stat.Links > 1 && !seen.Add(stat.Inode))
                    continue;
                total += new DirectoryUsage((long)stat.Blocks * BlockSize, 1);
                if (isDirectory)
                    pending.Push(entry);
            }
        }
        return total;
    }

    /// <summary>Which file system a path is on; two paths on the same one have equal numbers. Null: the path is not there.</summary>
    public static (uint Major, uint Minor)? Device(string path) =>
        Native.Statx(CurrentDirectory, path, 0, Basic, out var stat) == 0 ? (stat.DeviceMajor, stat.DeviceMinor) : null;

    private static string[] Entries(string directory)
    {
        try
        {
            return Directory.GetFileSystemEntries(directory);
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }
}
