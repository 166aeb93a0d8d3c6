using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Hardway.Oracle.Tests.Replay;

/// <summary>Where two values differ first. A null side is "absent" when the flag says so.</summary>
internal sealed partial record JsonDifference(string Path, string Expected, string Found)
{
    private const string Absent = "(absent)";
    private static readonly string[] s_documented = ["properties", "allOf", "oneOf", "schema", "operationId", "content", "$ref", "x-kubernetes-group-version-kind"];

    public override string ToString() => $"{Path}: expected {Expected}, found {Found}";

    /// <summary>JSON by value: the order of keys does not matter, lists are in order, absent is not null. Texts that are ours to word need only be there.</summary>
    public static JsonDifference? Between(JsonNode? expected, JsonNode? found, string path = "$") => (expected, found) switch
    {
        (JsonObject a, JsonObject b) => BetweenObjects(a, b, path),
        (JsonArray a, JsonArray b) => BetweenArrays(a, b, path),
        _ => SameScalar(expected, found) ? null : new JsonDifference(path, Shown(expected), Shown(found)),
    };

    public static string Shown(JsonNode? value)
    {
        var text = value?.ToJsonString(OracleJson.Relaxed) ?? "null";
        return text.Length <= 300 ? text : text[..297] + "...";
    }

    private static JsonDifference? BetweenObjects(JsonObject expected, JsonObject found, string path)
    {
        foreach (var (key, value) in expected)
        {
            var where = Join(path, key);
            if (!found.TryGetPropertyValue(key, out var other)) return new JsonDifference(where, Shown(value), Absent);
            if (IsOursToWord(expected, key) && Text(value) is { Length: > 0 })
            {
                if (Text(other) is not { Length: > 0 }) return new JsonDifference(where, "a text", Shown(other));
            }
            else if (Between(value, other, where) is { } difference)
            {
                return difference;
            }
        }

        return found.Where(p => !expected.ContainsKey(p.Key)).Select(p => new JsonDifference(Join(path, p.Key), Absent, Shown(p.Value))).FirstOrDefault();
    }

    private static JsonDifference? BetweenArrays(JsonArray expected, JsonArray found, string path)
    {
        for (var i = 0; i < Math.Max(expected.Count, found.Count); i++)
        {
            var where = string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]");
            if (i >= found.Count) return new JsonDifference(where, Shown(expected[i]), Absent);
            if (i >= expected.Count) return new JsonDifference(where, Absent, Shown(found[i]));
            if (Between(expected[i], found[i], where) is { } difference) return difference;
        }

        return null;
    }

    /// <summary>The message of a Status, a condition or a cause, and the warning of an audit of a field.</summary>
    private static bool IsOursToWord(JsonObject parent, string key) => key switch
    {
        "warning" => parent.ContainsKey("fieldRef"),
        "message" => Text(parent["kind"]) == "Status" || (parent.ContainsKey("type") && parent.ContainsKey("status")) || parent.All(p => p.Key is "reason" or "message" or "field"),
        "description" => IsDocumentation(parent),
        _ => false,
    };

    /// <summary>What a column of a table, or a type, field or parameter of an OpenAPI document is said to be.</summary>
    private static bool IsDocumentation(JsonObject parent) =>
        (parent.ContainsKey("format") && parent.ContainsKey("priority"))
        || s_documented.Any(parent.ContainsKey)
        || Text(parent["type"]) is "object" or "string" or "integer" or "array" or "boolean" or "number";

    private static bool SameScalar(JsonNode? expected, JsonNode? found)
    {
        if (expected is null || found is null) return expected is null && found is null;
        if (expected.GetValueKind() != found.GetValueKind()) return false;
        if (expected.GetValueKind() != JsonValueKind.Number) return expected.GetValueKind() is not (JsonValueKind.Object or JsonValueKind.Array) && expected.ToJsonString() == found.ToJsonString();
        var (a, b) = (expected.ToJsonString(), found.ToJsonString());
        return a == b || (decimal.TryParse(a, NumberStyles.Float, CultureInfo.InvariantCulture, out var x) && decimal.TryParse(b, NumberStyles.Float, CultureInfo.InvariantCulture, out var y) && x == y);
    }

    private static string? Text(JsonNode? node) => node?.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null;

    private static string Join(string path, string key) => PlainKey().IsMatch(key) ? $"{path}.{key}" : $"{path}[{JsonSerializer.Serialize(key, OracleJson.Relaxed)}]";

    [GeneratedRegex(@"^[A-Za-z_$][\w$]*$")]
    private static partial Regex PlainKey();
}
