using System.Globalization;
using System.Text.RegularExpressions;
using Hardway.Api;

namespace Hardway.ApiServer.Custom;

/// <summary>The part of JSONPath that printer columns use: .a.b, ['a'], [0], [*] and [?(@.type=="Ready")].</summary>
internal static partial class JsonPathText
{
    public static object? Find(object? tree, string path)
    {
        IEnumerable<object?> now = [tree];
        foreach (Match step in Step().Matches(path))
        {
            now = Apply([.. now], step);
        }

        return now.FirstOrDefault();
    }

    private static IEnumerable<object?> Apply(List<object?> now, Match step)
    {
        if (step.Groups["name"].Success)
        {
            return now.OfType<Dictionary<string, object?>>().Where(m => m.ContainsKey(step.Groups["name"].Value)).Select(m => m[step.Groups["name"].Value]);
        }

        var lists = now.OfType<List<object?>>();
        if (step.Groups["index"].Success && int.TryParse(step.Groups["index"].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index))
        {
            return lists.Where(l => (index < 0 ? l.Count + index : index) is var at && at >= 0 && at < l.Count).Select(l => l[index < 0 ? l.Count + index : index]);
        }

        var items = lists.SelectMany(l => l);
        return step.Groups["key"].Success
            ? items.OfType<Dictionary<string, object?>>().Where(m => Text(m.GetValueOrDefault(step.Groups["key"].Value)) == step.Groups["value"].Value)
            : items;
    }

    public static string? Text(object? value) => value switch
    {
        null => null,
        string s => s,
        bool b => b ? "true" : "false",
        long n => n.ToString(CultureInfo.InvariantCulture),
        double d => d.ToString("R", CultureInfo.InvariantCulture),
        _ => System.Text.Encoding.UTF8.GetString(ApiJson.SerializeTree(value)),
    };

    [GeneratedRegex("""\.(?<name>(?:[^.\[\\]|\\.)+)|\['(?<name>[^']*)'\]|\[(?<index>-?\d+)\]|\[\?\(\s*@\.(?<key>[^=\s]+)\s*==\s*["'](?<value>[^"']*)["']\s*\)\]|\[\*\]""")]
    private static partial Regex Step();
}
