namespace Hardway.Linux.Files;

/// <summary>rename(2): replaces the target in one step and never follows a link, which File.Move would for a link to a directory.</summary>
public static class FileRename
{
    public static void Over(string source, string target) => Native.Check(Native.Rename(source, target), $"rename {source} to {target}");
}
