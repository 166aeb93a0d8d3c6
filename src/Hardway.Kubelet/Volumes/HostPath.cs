using Hardway.Api.Core.V1;
using Hardway.Linux.Files;

namespace Hardway.Kubelet.Volumes;

/// <summary>Checks a hostPath volume by its type, and creates it where the type says so.</summary>
internal static class HostPath
{
    public static string Prepare(HostPathVolumeSource source)
    {
        var path = source.Path;
        if (!path.StartsWith('/') || path.Split('/').Contains(".."))
            throw new VolumeException($"hostPath '{path}' must be absolute and without '..'");
        switch (source.Type ?? "")
        {
            case "":
                break;
            case "DirectoryOrCreate":
                Directory.CreateDirectory(path);
                break;
            case "FileOrCreate":
                if (!File.Exists(path) && !Directory.Exists(path))
                    File.Create(path).Dispose();
                Require(File.Exists(path), path, "a file");
                break;
            case "Directory":
                Require(Directory.Exists(path), path, "a directory");
                break;
            case "File":
                Require(File.Exists(path), path, "a file");
                break;
            case "Socket":
                Require(Kind(path) == UnixFileKind.Socket, path, "a socket");
                break;
            case "CharDevice":
                Require(Kind(path) == UnixFileKind.Character, path, "a character device");
                break;
            case "BlockDevice":
                Require(Kind(path) == UnixFileKind.Block, path, "a block device");
                break;
            default:
                throw new VolumeException($"hostPath type '{source.Type}' is not known");
        }
        return path;
    }

    private static UnixFileKind Kind(string path) => FileKind.Of(path);

    private static void Require(bool holds, string path, string what)
    {
        if (!holds)
            throw new VolumeException($"hostPath type check failed: {path} is not {what}");
    }
}
