using System.Text.Json.Nodes;

namespace Hardway.Provisioning.Api;

/// <summary>Whether an object from the API has everything that a manifest says; what the manifest does not mention may be anything (defaults, status).</summary>
internal static class JsonSubset
{
    public static bool Contains(JsonNode? actual, JsonNode? wanted) => wanted switch
    {
        null => true,
        JsonObject w => actual is JsonObject a && w.All(p => Contains(a[p.Key], p.Value)),
        JsonArray w => actual is JsonArray a && a.Count == w.Count && w.Zip(a).All(p => Contains(p.Second, p.First)),
        _ => JsonNode.DeepEquals(actual, wanted),
    };

    /// <summary>The first path at which they differ, for a person; null when the actual one has everything.</summary>
    public static string? Difference(JsonNode? actual, JsonNode? wanted, string path = "")
    {
        switch (wanted)
        {
            case JsonObject w when actual is JsonObject a:
                return w.Select(p => Difference(a[p.Key], p.Value, $"{path}.{p.Key}")).FirstOrDefault(d => d is not null);
            case JsonArray w when actual is JsonArray a && a.Count == w.Count:
                return w.Select((item, i) => Difference(a[i], item, $"{path}[{i}]")).FirstOrDefault(d => d is not null);
            default:
                return Contains(actual, wanted) ? null : path;
        }
    }
}
