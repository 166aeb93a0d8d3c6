using System.Globalization;

namespace Hardway.Linux.Mounts;

/// <summary>Mounts and unmounts. Every call is one system call; nothing is remembered.</summary>
public static class Mounter
{
    /// <summary>A tmpfs of at most <paramref name="sizeBytes"/> (0: the kernel's default, half of memory).</summary>
    public static void Tmpfs(string target, long sizeBytes, UnixFileMode mode)
    {
        var data = "mode=" + Convert.ToString((int)mode, 8) + (sizeBytes > 0 ? ",size=" + sizeBytes.ToString(CultureInfo.InvariantCulture) : "");
        Native.Check(Native.Mount("tmpfs", target, "tmpfs", 0, data), $"mount tmpfs on {target}");
    }

    public static void Bind(string source, string target, bool readOnly)
    {
        Native.Check(Native.Mount(source, target, null, Native.Bind | Native.Recursive, null), $"bind mount {source} on {target}");
        if (readOnly)
            Native.Check(Native.Mount(source, target, null, Native.Bind | Native.Remount | Native.ReadOnly, null), $"remount {target} read-only");
    }

    public static void MakeShared(string target) =>
        Native.Check(Native.Mount("none", target, null, Native.Shared | Native.Recursive, null), $"make {target} a shared mount");

    public static void Unmount(string target) => Native.Check(Native.Unmount(target, Native.NoFollow), $"unmount {target}");

    public static void Detach(string target) => Native.Check(Native.Unmount(target, Native.DetachMount | Native.NoFollow), $"detach {target}");

    /// <summary>Unmounts everything at or below a directory, deepest first; what is busy is detached.</summary>
    public static void UnmountBelow(string directory)
    {
        foreach (var mount in MountTable.Below(directory))
        {
            try
            {
                Unmount(mount);
            }
            catch (LinuxException)
            {
                Detach(mount);
            }
        }
    }
}
