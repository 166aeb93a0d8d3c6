using System.Globalization;
using System.Text.RegularExpressions;

namespace Hardway.ApiServer.Registry;

/// <summary>Kubernetes' order of versions: stable before beta before alpha, newer first; other names after, by their letters.</summary>
internal static partial class VersionOrder
{
    public static int Compare(string a, string b)
    {
        var (x, y) = (Parse(a), Parse(b));
        return (x, y) switch
        {
            ({ } p, { } q) => p.Stability != q.Stability ? q.Stability.CompareTo(p.Stability) : p.Major != q.Major ? q.Major.CompareTo(p.Major) : q.Minor.CompareTo(p.Minor),
            (not null, null) => -1,
            (null, not null) => 1,
            _ => string.CompareOrdinal(a, b),
        };
    }

    private static (int Stability, int Major, int Minor)? Parse(string version)
    {
        var match = Pattern().Match(version);
        if (!match.Success)
        {
            return null;
        }

        var stability = match.Groups[2].Value switch { "" => 3, "beta" => 2, _ => 1 };
        return (stability, Number(match.Groups[1].Value), match.Groups[3].Success ? Number(match.Groups[3].Value) : 0);
    }

    private static int Number(string text) => int.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : 0;

    [GeneratedRegex(@"^v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?\z")]
    private static partial Regex Pattern();
}
