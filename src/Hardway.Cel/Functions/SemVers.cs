using System.Globalization;

namespace Hardway.Cel.Functions;

/// <summary>A semantic version (semver.org).</summary>
internal sealed record SemVer(long Major, long Minor, long Patch, string Pre) : ICelObject
{
    public string TypeName => "kubernetes.Semver";

    public static SemVer? TryParse(string text)
    {
        var build = text.IndexOf('+', StringComparison.Ordinal);
        var core = build < 0 ? text : text[..build];
        var dash = core.IndexOf('-', StringComparison.Ordinal);
        var pre = dash < 0 ? "" : core[(dash + 1)..];
        var numbers = (dash < 0 ? core : core[..dash]).Split('.');
        if (numbers.Length != 3 || numbers.Any(n => n.Length == 0 || (n.Length > 1 && n[0] == '0') || !n.All(char.IsAsciiDigit)) || (dash >= 0 && pre.Split('.').Any(p => p.Length == 0)))
        {
            return null;
        }

        return long.TryParse(numbers[0], CultureInfo.InvariantCulture, out var major) && long.TryParse(numbers[1], CultureInfo.InvariantCulture, out var minor) && long.TryParse(numbers[2], CultureInfo.InvariantCulture, out var patch) ? new SemVer(major, minor, patch, pre) : null;
    }

    public int CompareTo(SemVer other)
    {
        var order = (Major, Minor, Patch).CompareTo((other.Major, other.Minor, other.Patch));
        return order != 0 || Pre == other.Pre ? Math.Sign(order) : Pre.Length == 0 ? 1 : other.Pre.Length == 0 ? -1 : ComparePre(Pre.Split('.'), other.Pre.Split('.'));
    }

    public bool TryGetField(string name, out object? value)
    {
        value = null;
        return false;
    }

    public bool TryCall(string name, object?[] arguments, CelBudget budget, out object? result)
    {
        result = (name, arguments.Length) switch { ("major", 0) => Major, ("minor", 0) => Minor, ("patch", 0) => Patch, _ => null };
        return result is not null;
    }

    private static int ComparePre(string[] a, string[] b)
    {
        for (var i = 0; i < Math.Min(a.Length, b.Length); i++)
        {
            var (isA, isB) = (long.TryParse(a[i], CultureInfo.InvariantCulture, out var x), long.TryParse(b[i], CultureInfo.InvariantCulture, out var y));
            var order = isA && isB ? x.CompareTo(y) : isA ? -1 : isB ? 1 : string.CompareOrdinal(a[i], b[i]);
            if (order != 0)
            {
                return Math.Sign(order);
            }
        }

        return a.Length.CompareTo(b.Length);
    }
}

internal static class SemVers
{
    public static void AddTo(FunctionTable table)
    {
        table.AddGlobal("semver", 1, (a, _) => a[0] is string s ? SemVer.TryParse(s) ?? throw new CelException($"invalid semantic version '{(s.Length > 50 ? s[..50] : s)}'") : throw CelException.NoOverload("semver"));
        table.AddGlobal("isSemver", 1, (a, _) => a[0] is string s ? SemVer.TryParse(s) is not null : throw CelException.NoOverload("isSemver"));
        foreach (var name in new[] { "major", "minor", "patch" })
        {
            table.AddMethod(name, 0, (_, _) => throw CelException.NoOverload(name));
        }
    }

    public static int Compare(object?[] a, CelBudget budget)
    {
        budget.Take(1);
        return a is [SemVer x, SemVer y] ? x.CompareTo(y) : throw CelException.NoOverload("compareTo");
    }
}
