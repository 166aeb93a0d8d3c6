namespace Hardway.Provisioning;

/// <summary>Rows of words as lines with aligned columns, two blanks between.</summary>
public static class TextTable
{
    public static IReadOnlyList<string> Lines(IReadOnlyList<string[]> rows)
    {
        var widths = Enumerable.Range(0, rows.Max(r => r.Length)).Select(i => rows.Max(r => i < r.Length ? r[i].Length : 0)).ToList();
        return [.. rows.Select(r => string.Join("  ", r.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd())];
    }
}
