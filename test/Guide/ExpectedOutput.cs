using System.Text;
using System.Text.RegularExpressions;

namespace Hardway.Guide;

/// <summary>
/// What the guide says a command prints, against what it printed. What varies is marked in the text, and only that may vary:
/// a line <c>...</c> stands for any number of lines, <c>...</c> within a line for anything in that line, <c>&lt;a word&gt;</c> for one word.
/// Runs of blanks count as one (columns of tables grow with their content); blanks around a line, and blank lines around all, do not count.
/// </summary>
internal static partial class ExpectedOutput
{
    /// <returns>Null when it is as the text says; else both, for a person.</returns>
    public static string? Compare(string expected, string seen)
    {
        var pattern = new StringBuilder();
        foreach (var line in Lines(expected)) pattern.Append(line == "..." ? "(?:[^\n]*\n)*" : Line(line) + "\n");
        var text = string.Concat(Lines(seen).Select(l => l + "\n"));
        return Regex.IsMatch(text, $"\\A{pattern}\\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant) ? null : $"the guide says:\n{Indent(expected)}seen was:\n{Indent(seen)}";
    }

    private static string Line(string line)
    {
        var pattern = new StringBuilder();
        var from = 0;
        foreach (Match mark in Marks().Matches(line))
        {
            pattern.Append(Regex.Escape(line[from..mark.Index])).Append(mark.Value == "..." ? "[^\n]*" : "[^ \n]+");
            from = mark.Index + mark.Length;
        }
        return pattern.Append(Regex.Escape(line[from..])).ToString();
    }

    private static List<string> Lines(string text)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n').Select(l => Blanks().Replace(l, " ").Trim()).ToList();
        while (lines is [.., ""]) lines.RemoveAt(lines.Count - 1);
        while (lines is ["", ..]) lines.RemoveAt(0);
        return lines;
    }

    private static string Indent(string text) => string.Concat(Lines(text).DefaultIfEmpty("(nothing)").Select(l => "    " + l + "\n"));

    [GeneratedRegex(@"\.\.\.|<[a-z][a-z0-9 -]*>")]
    private static partial Regex Marks();

    [GeneratedRegex(@"[ \t]+")]
    private static partial Regex Blanks();
}
