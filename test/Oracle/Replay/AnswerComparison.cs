using System.Text.Json.Nodes;
using Hardway.Oracle.Tests.Http;

namespace Hardway.Oracle.Tests.Replay;

/// <summary>Compares an answer with what its step expects. Status, headers and body, in this order; then how values relate to captured ones.</summary>
internal sealed class AnswerComparison(Step step, Variables variables, Normaliser normaliser)
{
    private static readonly HashSet<string> KeptHeaders = ["content-type", "warning", "retry-after", "location", "allow"];

    public string? Difference(HttpAnswer answer)
    {
        if (step.Expect is not { } expect) return "the step has no recorded answer";
        var plain = AnswerBody.Decode(step.Path, answer);
        var status = expect["status"]!.GetValue<int>();
        if (status != answer.Status) return $"$status: expected {status}, found {answer.Status} {plain?["message"]}";
        return HeaderDifference(expect["headers"] as JsonObject ?? [], answer) ?? BodyDifference(expect["body"], status, plain) ?? RelationDifference(plain);
    }

    private string? HeaderDifference(JsonObject expected, HttpAnswer answer)
    {
        var found = new JsonObject();
        foreach (var group in answer.Headers.Where(h => KeptHeaders.Contains(h.Key.ToLowerInvariant())).GroupBy(h => h.Key.ToLowerInvariant()))
        {
            found[group.Key] = group.Key switch
            {
                // How a warning is worded is ours; how many there are is not.
                "warning" => new JsonArray([.. group.Select(_ => (JsonNode)"*")]),
                "content-type" => normaliser.Text(group.Last().Value, null).ToLowerInvariant().Replace(" ", "", StringComparison.Ordinal),
                _ => normaliser.Text(group.Last().Value, null),
            };
        }

        return JsonDifference.Between(expected, found, "$headers")?.ToString();
    }

    private string? BodyDifference(JsonNode? expected, int status, JsonNode? plain)
    {
        var found = normaliser.Apply(plain);
        if (status >= 400 && Text(expected) is { } wanted && Text(found) is { } text) return wanted.Length > 0 == text.Length > 0 ? null : $"$: expected '{wanted}', found '{text}'";
        return JsonDifference.Between(expected, Select(found))?.ToString();
    }

    private JsonNode? Select(JsonNode? found)
    {
        if (Text(found) is { } text && step.PickLines.ToList() is { Count: > 0 } lines)
        {
            var there = text.Split('\n').ToHashSet(StringComparer.Ordinal);
            return new JsonObject { ["$lines"] = new JsonArray([.. lines.Where(there.Contains).Select(l => (JsonNode)l)]) };
        }

        if (found is JsonObject map && map["kind"] is JsonValue kind && kind.ToString() == "Status") return found;
        foreach (var pointer in step.Ignore) JsonPointer.Remove(found, JsonPointer.Parts(pointer));
        if (step.Pick is not { } pointers) return found;
        var picked = new JsonObject();
        foreach (var pointer in pointers)
        {
            if (JsonPointer.TryGet(found, pointer, out var value)) picked[pointer] = value?.DeepClone();
        }

        return picked;
    }

    private string? RelationDifference(JsonNode? plain)
        => step.Same.Select(p => Relation(plain, p.Pointer, p.Value, wanted: true)).Concat(step.Differs.Select(p => Relation(plain, p.Pointer, p.Value, wanted: false))).FirstOrDefault(r => r is not null);

    private string? Relation(JsonNode? plain, string pointer, string value, bool wanted)
    {
        if (!JsonPointer.TryGet(plain, pointer, out var found)) return $"{pointer}: expected a value, found none";
        var other = variables.Expand(JsonValue.Create(value));
        return (JsonDifference.Between(other, found) is null) == wanted ? null : $"{pointer}: expected {(wanted ? "the same" : "another")} value as {value} ({other}), found {JsonDifference.Shown(found)}";
    }

    private static string? Text(JsonNode? body) => body is JsonObject { Count: 1 } map && map["$text"] is JsonValue text ? text.GetValue<string>() : null;
}
