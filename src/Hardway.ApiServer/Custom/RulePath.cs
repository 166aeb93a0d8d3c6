using System.Text.RegularExpressions;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Custom;

/// <summary>The path of fields that a rule, a scale or a selectable field names: .spec.replicas, .spec['x-y'].</summary>
internal static partial class RulePath
{
    /// <summary>The names on the way; null where the text is no path.</summary>
    public static List<string>? Parse(string text)
    {
        var names = new List<string>();
        var at = 0;
        while (at < text.Length)
        {
            var match = Step().Match(text, at);
            if (!match.Success || match.Index != at)
            {
                return null;
            }

            names.Add(match.Groups["name"].Value);
            at += match.Length;
        }

        return names.Count == 0 ? null : names;
    }

    /// <summary>The schema at the path; null where it describes nothing there.</summary>
    public static StructuralSchema? Find(StructuralSchema schema, IEnumerable<string> names)
    {
        var now = schema;
        foreach (var name in names)
        {
            if (now?.Field(name) is not { } next)
            {
                return null;
            }

            now = next;
        }

        return now;
    }

    public static FieldPath Append(FieldPath path, string text)
    {
        foreach (var name in text.Length == 0 ? [] : Parse(text) ?? [])
        {
            path = path.Child(name);
        }

        return path;
    }

    [GeneratedRegex(@"\.(?<name>[A-Za-z_$][A-Za-z0-9_$-]*)|\['(?<name>[^']+)'\]")]
    private static partial Regex Step();
}
