using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace Hardway.Cel.Functions;

/// <summary>
/// Regular expressions. They are run by an engine without backtracking, so their time is linear in the text, and what it does not know
/// (look-around, back references) RE2 does not know either.
/// </summary>
internal static class Regexes
{
    private const int Longest = 4096;
    private const int MostKept = 1024;
    private static readonly ConcurrentDictionary<string, Regex> s_known = new(StringComparer.Ordinal);

    public static void AddTo(FunctionTable table)
    {
        table.AddMethod("matches", 1, Matches);
        table.AddGlobal("matches", 2, Matches);
        table.AddMethod("find", 1, (a, b) => a is [string text, string pattern] ? Compile(text, pattern, b).Match(text).Value : throw CelException.NoOverload("find"));
        table.AddMethod("findAll", 1, (a, b) => FindAll(a, b, -1));
        table.AddMethod("findAll", 2, (a, b) => a[2] is long most ? FindAll(a, b, most) : throw CelException.NoOverload("findAll"));
    }

    private static object Matches(object?[] a, CelBudget budget) => a is [string text, string pattern] ? Compile(text, pattern, budget).IsMatch(text) : throw CelException.NoOverload("matches");

    private static object FindAll(object?[] a, CelBudget budget, long most)
    {
        if (a is not [string text, string pattern, ..])
        {
            throw CelException.NoOverload("findAll");
        }

        var found = new List<object?>();
        foreach (var match in Compile(text, pattern, budget).EnumerateMatches(text))
        {
            if (most >= 0 && found.Count >= most)
            {
                break;
            }

            budget.Take(1);
            found.Add(text.Substring(match.Index, match.Length));
        }

        return found;
    }

    private static Regex Compile(string text, string pattern, CelBudget budget)
    {
        budget.Take(1 + ((text.Length / 10L) + 1) * ((pattern.Length / 4L) + 1));
        if (s_known.TryGetValue(pattern, out var known))
        {
            return known;
        }

        if (pattern.Length > Longest)
        {
            throw new CelException($"the regular expression is longer than {Longest} characters");
        }

        try
        {
            var made = new Regex(Translate(pattern), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
            if (s_known.Count < MostKept)
            {
                s_known[pattern] = made;
            }

            return made;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new CelException("error parsing regexp: " + e.Message, e);
        }
    }

    /// <summary>RE2's $ is the end of the text only, \d, \w and \s are ASCII, (?P&lt;name&gt;...) names a group, \z is written \z.</summary>
    private static string Translate(string pattern)
    {
        var result = new System.Text.StringBuilder(pattern.Length + 16);
        var inClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            if (c == '\\' && i + 1 < pattern.Length)
            {
                var next = pattern[++i];
                result.Append((next, inClass) switch
                {
                    ('d', false) => "[0-9]",
                    ('d', true) => "0-9",
                    ('D', false) => "[^0-9]",
                    ('w', false) => "[0-9A-Za-z_]",
                    ('w', true) => "0-9A-Za-z_",
                    ('W', false) => "[^0-9A-Za-z_]",
                    ('s', false) => "[\\t\\n\\f\\r ]",
                    ('s', true) => "\\t\\n\\f\\r ",
                    ('S', false) => "[^\\t\\n\\f\\r ]",
                    _ => "\\" + next,
                });
                continue;
            }

            if (c == '[' && !inClass)
            {
                inClass = true;
                result.Append(c);
                if (i + 1 < pattern.Length && pattern[i + 1] == '^')
                {
                    result.Append(pattern[++i]);
                }

                if (i + 1 < pattern.Length && pattern[i + 1] == ']')
                {
                    result.Append("\\]");
                    i++;
                }

                continue;
            }

            if (inClass && c == '[' && i + 1 < pattern.Length && pattern[i + 1] == ':' && pattern.IndexOf(":]", i + 2, StringComparison.Ordinal) is var end and > 0 && Posix(pattern[(i + 2)..end]) is { } posix)
            {
                result.Append(posix);
                i = end + 1;
                continue;
            }

            if (c == ']' && inClass)
            {
                inClass = false;
            }
            else if (c == '[' && inClass)
            {
                result.Append('\\');
            }
            else if (c == '$' && !inClass)
            {
                result.Append("\\z");
                continue;
            }
            else if (c == '(' && !inClass && string.CompareOrdinal(pattern, i, "(?P<", 0, 4) == 0)
            {
                result.Append("(?<");
                i += 3;
                continue;
            }

            result.Append(c);
        }

        return result.ToString();
    }

    private static string? Posix(string name) => name switch
    {
        "alnum" => "0-9A-Za-z",
        "alpha" => "A-Za-z",
        "digit" => "0-9",
        "lower" => "a-z",
        "upper" => "A-Z",
        "space" => "\\t\\n\\v\\f\\r ",
        "xdigit" => "0-9A-Fa-f",
        "word" => "0-9A-Za-z_",
        "punct" => "!-/:-@\\[-`{-~",
        _ => null,
    };
}
