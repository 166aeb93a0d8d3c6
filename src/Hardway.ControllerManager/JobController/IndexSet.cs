using System.Globalization;
using System.Text;

namespace Hardway.ControllerManager;

/// <summary>A set of completion indexes as a Job's status writes it: "0-2,5,7-8".</summary>
internal static class IndexSet
{
    public static SortedSet<int> Parse(string? text)
    {
        SortedSet<int> all = [];
        foreach (var part in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var dash = part.IndexOf('-', StringComparison.Ordinal);
            if (!int.TryParse(dash < 0 ? part : part[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out var from)) continue;
            var to = dash < 0 ? from : int.TryParse(part[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var end) ? end : from;
            for (var i = from; i <= to && all.Count <= 100_000; i++) all.Add(i);
        }
        return all;
    }

    public static string Format(SortedSet<int> indexes)
    {
        var text = new StringBuilder();
        int? start = null, last = null;
        foreach (var i in indexes)
        {
            if (last is { } l && i == l + 1) { last = i; continue; }
            Close(text, start, last);
            start = last = i;
        }
        Close(text, start, last);
        return text.ToString();
    }

    private static void Close(StringBuilder text, int? start, int? last)
    {
        if (start is null) return;
        if (text.Length > 0) text.Append(',');
        text.Append(CultureInfo.InvariantCulture, $"{start}");
        if (last != start) text.Append(last == start + 1 ? ',' : '-').Append(CultureInfo.InvariantCulture, $"{last}");
    }
}
