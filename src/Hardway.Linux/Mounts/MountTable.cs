using System.Text;

namespace Hardway.Linux.Mounts;

/// <summary>One line of /proc/self/mountinfo.</summary>
public sealed record MountEntry(string Root, string MountPoint, string FileSystem, string Source, string Options, string SuperOptions);

/// <summary>Reads the kernel's table of mounts (proc(5), mountinfo).</summary>
public static class MountTable
{
    public static IReadOnlyList<MountEntry> Read() => Parse(File.ReadAllText("/proc/self/mountinfo"));

    public static IReadOnlyList<MountEntry> Parse(string text)
    {
        var entries = new List<MountEntry>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var fields = line.Split(' ');
            var dash = Array.IndexOf(fields, "-", 6 <= fields.Length ? 6 : fields.Length);
            if (dash < 0 || fields.Length < dash + 4)
                continue;
            entries.Add(new MountEntry(Unescape(fields[3]), Unescape(fields[4]), fields[dash + 1], Unescape(fields[dash + 2]), fields[5], fields[dash + 3]));
        }
        return entries;
    }

    public static bool IsMountPoint(string path) => Read().Any(e => e.MountPoint == path);

    /// <summary>Mount points at or below a directory, deepest last in the table first, so that they can be unmounted in this order.</summary>
    public static IReadOnlyList<string> Below(string directory)
    {
        var prefix = directory.TrimEnd('/') + "/";
        return [.. Read().Select(e => e.MountPoint).Where(m => m == directory || m.StartsWith(prefix, StringComparison.Ordinal)).Reverse()];
    }

    /// <summary>The kernel writes space, tab, newline and backslash as three octal digits.</summary>
    private static string Unescape(string field)
    {
        if (!field.Contains('\\', StringComparison.Ordinal))
            return field;
        var result = new StringBuilder(field.Length);
        for (var i = 0; i < field.Length; i++)
        {
            if (field[i] == '\\' && i + 3 < field.Length && IsOctal(field.AsSpan(i + 1, 3)))
            {
                result.Append((char)(((field[i + 1] - '0') << 6) | ((field[i + 2] - '0') << 3) | (field[i + 3] - '0')));
                i += 3;
            }
            else
                result.Append(field[i]);
        }
        return result.ToString();
    }

    private static bool IsOctal(ReadOnlySpan<char> digits) => digits.IndexOfAnyExceptInRange('0', '7') < 0;
}
