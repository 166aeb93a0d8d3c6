using System.Globalization;

namespace Hardway.Kubelet.Volumes;

/// <summary>One file of a volume made from data: its path inside the volume, content, mode and (optional) owner.</summary>
internal sealed record VolumeFile(string Path, byte[] Content, UnixFileMode Mode, long? Uid = null);

/// <summary>
/// Keeps a directory of files so that readers never see half of an update. The files live in a directory with a time in its
/// name; <c>..data</c> is a link to it that is replaced by one rename; every visible name is a link through <c>..data</c>.
/// <code>
/// volume/key        → ..data/key
/// volume/..data     → ..2026_01_02_03_04_05.123456789
/// volume/..2026_…/key
/// </code>
/// One writer at a time a volume.
/// </summary>
internal static class AtomicWriter
{
    private const string DataLink = "..data", NewDataLink = "..data_tmp";

    /// <summary>Writes the set of files; true when anything changed.</summary>
    public static bool Write(string volume, IReadOnlyList<VolumeFile> files, TimeProvider time, Action<string>? own = null)
    {
        foreach (var file in files)
            CheckPath(file.Path);
        Directory.CreateDirectory(volume);
        var old = CurrentDirectory(volume);
        if (old != null && Same(Path.Combine(volume, old), files))
            return false;
        var name = ".." + time.GetUtcNow().ToString("yyyy_MM_dd_HH_mm_ss.fffffff", CultureInfo.InvariantCulture);
        var directory = Path.Combine(volume, name);
        for (var i = 0; Directory.Exists(directory); i++)
            directory = Path.Combine(volume, $"{name}{i}");
        WriteFiles(directory, files);
        own?.Invoke(directory);
        ReplaceLink(volume, Path.GetFileName(directory));
        LinkNames(volume, files);
        if (old != null)
            Directory.Delete(Path.Combine(volume, old), true);
        return true;
    }

    private static void CheckPath(string path)
    {
        var parts = path.Split('/');
        if (path.Length is 0 or > 4096 || path.StartsWith('/') || parts.Any(p => p is "" or "." or ".." || p.Length > 255) || parts[0].StartsWith("..", StringComparison.Ordinal) || path.Contains('\0', StringComparison.Ordinal))
            throw new InvalidDataException($"'{path}' is not a path inside a volume");
    }

    private static string? CurrentDirectory(string volume) => new FileInfo(Path.Combine(volume, DataLink)).LinkTarget is { } target && Directory.Exists(Path.Combine(volume, target)) ? target : null;

    private static bool Same(string directory, IReadOnlyList<VolumeFile> files)
    {
        var present = Directory.GetFiles(directory, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 });
        return present.Length == files.Count && files.All(f => Path.Combine(directory, f.Path) is var path && File.Exists(path) && new FileInfo(path).Length == f.Content.Length && File.ReadAllBytes(path).AsSpan().SequenceEqual(f.Content));
    }

    private static void WriteFiles(string directory, IReadOnlyList<VolumeFile> files)
    {
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        foreach (var file in files)
        {
            var path = Path.Combine(directory, file.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using (var stream = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
                stream.Write(file.Content);
            File.SetUnixFileMode(path, file.Mode);
            if (file.Uid is { } uid)
                Linux.Files.FileOwner.Set(path, uid, -1);
        }
    }

    private static void ReplaceLink(string volume, string target)
    {
        var temporary = Path.Combine(volume, NewDataLink);
        File.Delete(temporary);
        File.CreateSymbolicLink(temporary, target);
        Linux.Files.FileRename.Over(temporary, Path.Combine(volume, DataLink));
    }

    private static void LinkNames(string volume, IReadOnlyList<VolumeFile> files)
    {
        var wanted = files.Select(f => f.Path.Split('/')[0]).ToHashSet(StringComparer.Ordinal);
        foreach (var name in wanted)
        {
            var link = Path.Combine(volume, name);
            if (new FileInfo(link).LinkTarget == null && !File.Exists(link) && !Directory.Exists(link))
                File.CreateSymbolicLink(link, $"{DataLink}/{name}");
        }
        foreach (var entry in new DirectoryInfo(volume).EnumerateFileSystemInfos())
        {
            if (!entry.Name.StartsWith("..", StringComparison.Ordinal) && !wanted.Contains(entry.Name) && entry.LinkTarget?.StartsWith(DataLink + "/", StringComparison.Ordinal) == true)
                File.Delete(entry.FullName);
        }
    }
}
