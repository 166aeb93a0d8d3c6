using Hardway.Hosting;

namespace Hardway.Lab;

/// <summary>
/// One process at a time that changes the lab (its machines), and one that changes the cluster on it (`up` from its beginning to its end, `down`). The
/// kernel lets go of a lock with the process that held it. Order: cluster before lab.
/// </summary>
internal static class LabLock
{
    public static IDisposable Take(LabPaths paths) => Take(paths, ".lock", "the lab");

    public static IDisposable TakeCluster(LabPaths paths) => Take(paths, ".cluster.lock", "the cluster");

    private static FileStream Take(LabPaths paths, string file, string what)
    {
        Directory.CreateDirectory(paths.Root);
        try
        {
            return new FileStream(Path.Combine(paths.Root, file), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is not FileNotFoundException and not DirectoryNotFoundException)
        {
            throw new ComponentException($"another hardway is changing {what} right now (it holds {paths.Root}/{file}): wait for it to end");
        }
    }
}
