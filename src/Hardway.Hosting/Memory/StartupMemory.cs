using System.Globalization;
using System.Runtime.InteropServices;

namespace Hardway.Hosting;

/// <summary>
/// Gives back what a component needed only to start: pages of programs and libraries that are mapped and not used any more (four fifths of what an idle
/// component seems to hold), and what the first lists left in the heap. A page that is needed after all comes back from the kernel's cache at its first touch.
/// Touched are only mappings of files without a page of their own: nothing in them can be lost. The runtime never unmaps these.
/// </summary>
public sealed partial class StartupMemory(TimeProvider time)
{
    private const int DontNeed = 4;

    /// <summary>By then caches are full and the code of the start has run.</summary>
    private static readonly TimeSpan _wait = TimeSpan.FromSeconds(30);

    /// <summary>Waits, gives back once, and then only for the token: a stage of a component.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(_wait, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!cancellationToken.IsCancellationRequested) GiveBack();
        await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public static void GiveBack()
    {
        foreach (var (start, length) in Unchanged(File.ReadLines("/proc/self/smaps"))) _ = Advise(start, length, DontNeed);
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    /// <summary>The mappings in /proc/PID/smaps that are of a file that exists, are not written to, and have no page that differs from the file.</summary>
    internal static List<(nint Start, nuint Length)> Unchanged(IEnumerable<string> smaps)
    {
        List<(nint, nuint)> found = [];
        (nint Start, nuint Length)? current = null;
        foreach (var line in smaps)
        {
            if (Mapping(line) is { } mapping)
            {
                current = mapping.IsFile ? (mapping.Start, mapping.Length) : null;
            }
            else if (current is not null && line.StartsWith("Anonymous:", StringComparison.Ordinal))
            {
                if (line.AsSpan("Anonymous:".Length).Trim() is "0 kB") found.Add(current.Value);
                current = null;
            }
        }
        return found;
    }

    /// <summary>"START-END PERMISSIONS OFFSET DEVICE INODE PATH"; null: a line of another kind.</summary>
    private static (nint Start, nuint Length, bool IsFile)? Mapping(string line)
    {
        var parts = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length < 5 || parts[0].IndexOf('-', StringComparison.Ordinal) is not (> 0 and var dash)) return null;
        if (!ulong.TryParse(parts[0].AsSpan(0, dash), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var start) || !ulong.TryParse(parts[0].AsSpan(dash + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var end)) return null;
        var path = parts.Length == 6 ? parts[5].Trim() : "";
        var isFile = parts[1] is "r-xp" or "r--s" && path.StartsWith('/') && !path.StartsWith("/memfd:", StringComparison.Ordinal) && !path.EndsWith(" (deleted)", StringComparison.Ordinal);
        return ((nint)start, (nuint)(end - start), isFile);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}
