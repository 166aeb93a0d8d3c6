namespace Hardway.Lab.Host;

/// <summary>
/// The host's own apt configuration, as far as it can feed a tree of another release: the entries for Debian's suites of that release (main), and
/// the options of how to fetch (proxies, date checks). Empty on a host of another distribution or release; mmdebstrap then uses its default.
/// </summary>
internal static class AptSources
{
    /// <summary>One entry a string, ready for mmdebstrap: a one-line entry or a deb822 stanza.</summary>
    public static IReadOnlyList<string> Select(IEnumerable<(string Path, string Text)> files, string release)
    {
        var found = new List<string>();
        foreach (var (path, text) in files)
        {
            if (path.EndsWith(".sources", StringComparison.Ordinal)) found.AddRange(Stanzas(text).Where(stanza => IsDebianStanza(stanza, release)));
            else found.AddRange(text.Split('\n', StringSplitOptions.TrimEntries).Where(line => IsDebianLine(line, release)));
        }
        return found;
    }

    public static IReadOnlyList<(string Path, string Text)> ReadHost(string apt = "/etc/apt")
    {
        var files = new List<string> { Path.Combine(apt, "sources.list") };
        var parts = Path.Combine(apt, "sources.list.d");
        if (Directory.Exists(parts)) files.AddRange(Directory.GetFiles(parts).Where(f => f.EndsWith(".list", StringComparison.Ordinal) || f.EndsWith(".sources", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        return [.. files.Where(File.Exists).Select(f => (f, File.ReadAllText(f)))];
    }

    /// <summary>From `apt-config dump`: what a fetch from these sources needs.</summary>
    public static IReadOnlyList<string> FetchOptions(string dump) =>
        [.. dump.Split('\n', StringSplitOptions.TrimEntries).Where(line =>
            (line.StartsWith("Acquire::Check-", StringComparison.Ordinal) || line.StartsWith("Acquire::http", StringComparison.OrdinalIgnoreCase)) && !line.EndsWith("\"\";", StringComparison.Ordinal))];

    private static IEnumerable<string> Stanzas(string text)
    {
        var lines = text.Split('\n').Where(line => !line.StartsWith('#'));
        return string.Join('\n', lines).Split("\n\n", StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
    }

    private static bool IsDebianStanza(string stanza, string release)
    {
        string[] Field(string name) =>
            [.. stanza.Split('\n').Where(l => l.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)).SelectMany(l => l[(name.Length + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries))];
        return Field("Types").Contains("deb") && Field("Components").Contains("main") && Field("Suites").Any(s => IsSuite(s, release)) &&
            !Field("Enabled").Any(e => e.Equals("no", StringComparison.OrdinalIgnoreCase));
    }

    private static bool IsDebianLine(string line, string release)
    {
        if (!line.StartsWith("deb ", StringComparison.Ordinal)) return false;
        var rest = line.IndexOf('[', StringComparison.Ordinal) is >= 0 and var open ? line[(line.IndexOf(']', open) + 1)..] : line[4..];
        var words = rest.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words.Length >= 3 && IsSuite(words[1], release) && words.AsSpan(2).Contains("main");
    }

    /// <summary>Debian's own suites of a release, not those that third parties name after it (cloud-sdk-bookworm, bookworm-pgdg).</summary>
    private static bool IsSuite(string suite, string release) =>
        suite == release || suite == release + "-updates" || suite == release + "-security" || suite == release + "/updates";
}
