using Hardway.Hosting;

namespace Hardway.Lab;

/// <summary>One lab on a host, and one process at a time that changes it; the kernel lets go of the lock with the process that held it.</summary>
internal static class LabLock
{
    public static IDisposable Take(LabPaths paths)
    {
        Directory.CreateDirectory(paths.Root);
        try
        {
            return new FileStream(Path.Combine(paths.Root, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is not FileNotFoundException and not DirectoryNotFoundException)
        {
            throw new ComponentException($"another hardway is changing the lab right now (it holds {paths.Root}/.lock): wait for it to end");
        }
    }
}
