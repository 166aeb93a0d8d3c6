using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hardway.Linux.Files;

/// <summary>
/// Opens a path below a directory so that no link, nor anyone who swaps one meanwhile, leads out of it (openat2(2) with
/// RESOLVE_BENEATH). What is opened is only a handle on the place (O_PATH), to be mounted by its /proc/self/fd name.
/// </summary>
public static class BeneathPath
{
    private const ulong PathOnly = 0x200000, CloseOnExec = 0x80000, Beneath = 0x08, NoMagicLinks = 0x02;
    private const int NotFound = 2, Exists = 17;

    /// <summary>Opens what is there; a directory that is missing is made with the given mode.</summary>
    public static SafeFileHandle OpenOrCreateDirectory(string root, string path, UnixFileMode mode)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Contains(".."))
            throw new LinuxException(22, $"path '{path}' must not contain '..'");
        using var top = Open(root);
        try
        {
            return Open(top, string.Join('/', parts));
        }
        catch (LinuxException e) when (e.Error == NotFound)
        {
            for (var i = 0; i < parts.Length; i++)
            {
                using var parent = Open(top, string.Join('/', parts[..i]));
                if (Native.MakeDirectoryAt((int)parent.DangerousGetHandle(), parts[i], (uint)mode) == 0)
                {
                    // The process's umask has its say in mkdirat, and not here.
                    using var made = Open(top, string.Join('/', parts[..(i + 1)]));
                    File.SetUnixFileMode(NameOf(made), mode);
                }
                else if (Marshal.GetLastPInvokeError() is var error and not Exists)
                    throw new LinuxException(error, $"mkdir {parts[i]} below {root}: {Marshal.GetPInvokeErrorMessage(error)}");
            }
            return Open(top, string.Join('/', parts));
        }
    }

    /// <summary>The handle's own name, good for a mount while the handle is open.</summary>
    public static string NameOf(SafeFileHandle handle) => "/proc/self/fd/" + handle.DangerousGetHandle().ToString(CultureInfo.InvariantCulture);

    public static bool IsDirectory(SafeFileHandle handle) => FileKind.Of(NameOf(handle)) == UnixFileKind.Directory;

    private static SafeFileHandle Open(string root)
    {
        var fd = Native.OpenPath(root, (int)(PathOnly | CloseOnExec));
        Native.Check(fd < 0 ? -1 : 0, $"open {root}");
        return new SafeFileHandle(fd, true);
    }

    private static SafeFileHandle Open(SafeFileHandle root, string path)
    {
        var how = new Native.OpenHow { Flags = PathOnly | CloseOnExec, Resolve = Beneath | NoMagicLinks };
        var fd = (int)Native.OpenAt2(Native.OpenAt2Number, (int)root.DangerousGetHandle(), path.Length == 0 ? "." : path, in how, 24);
        Native.Check(fd < 0 ? -1 : 0, $"open '{path}' inside its volume");
        return new SafeFileHandle(fd, true);
    }
}
