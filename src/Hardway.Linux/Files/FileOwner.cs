namespace Hardway.Linux.Files;

/// <summary>Owners of files; -1 leaves a value as it is. Symbolic links are changed themselves, never followed.</summary>
public static class FileOwner
{
    public static bool IsRoot => Native.EffectiveUser() == 0;

    /// <summary>The group of what a path names; links are followed.</summary>
    public static long GroupOf(string path) => Native.Statx(-100, path, 0, 0x10, out var stat) == 0 ? stat.Group : -1;

    public static void Set(string path, long uid, long gid) =>
        Native.Check(Native.ChangeOwnerNoFollow(path, unchecked((uint)uid), unchecked((uint)gid)), $"chown {path}");

    /// <summary>
    /// Gives a tree to a group the way volumes with an fsGroup are: every entry gets the group, files become group readable and
    /// writable, directories also searchable with the set-group-id bit, so that new files inherit the group.
    /// </summary>
    public static void GiveToGroup(string root, long gid, bool readOnly)
    {
        Apply(root, gid, readOnly);
        foreach (var entry in Directory.EnumerateFileSystemEntries(root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }))
            Apply(entry, gid, readOnly);
    }

    private static void Apply(string path, long gid, bool readOnly)
    {
        Set(path, -1, gid);
        var info = new FileInfo(path);
        if (info.LinkTarget != null)
            return;
        var mode = File.GetUnixFileMode(path) | UnixFileMode.GroupRead | (readOnly ? 0 : UnixFileMode.GroupWrite);
        if (Directory.Exists(path))
            mode |= UnixFileMode.GroupExecute | UnixFileMode.SetGroup;
        File.SetUnixFileMode(path, mode);
    }
}
