using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Hardway.Api;
using Hardway.Oracle.Tests.Http;

namespace Hardway.Oracle.Tests.Replay;

/// <summary>The body of an answer as JSON, by its content type: watches are {"$events"}, YAML is {"$yaml"}, protobuf {"$protobuf"}, other texts {"$text"}.</summary>
internal static class AnswerBody
{
    public static JsonNode? Decode(string path, HttpAnswer answer)
    {
        var type = answer.Header("Content-Type")?.ToLowerInvariant() ?? "";
        if (type.Contains("protobuf", StringComparison.Ordinal)) return ProtobufEnvelope.Describe(answer.Body);
        var text = Encoding.UTF8.GetString(answer.Body);
        try
        {
            if (type.Contains("json", StringComparison.Ordinal)) return IsWatch(path, type) ? Events(text) : JsonNode.Parse(text);
            if (type.Contains("yaml", StringComparison.Ordinal)) return new JsonObject { ["$yaml"] = JsonNode.Parse(YamlJson.ToJson(text)) };
            if (text.StartsWith('{')) return JsonNode.Parse(text);
        }
        catch (Exception e) when (e is JsonException or ApiDecodeException)
        {
            // It is not what its type says: then it is compared as the text that it is.
        }

        return new JsonObject { ["$text"] = text };
    }

    private static bool IsWatch(string path, string type)
        => path.Contains("/watch/", StringComparison.Ordinal) || type.Contains("stream=watch", StringComparison.Ordinal)
            || path[(path.IndexOf('?', StringComparison.Ordinal) + 1)..].Split('&').Any(p => p is "watch=1" or "watch=true");

    private static JsonNode? Events(string text)
    {
        var events = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)).ToList();
        if (events.All(e => e is JsonObject map && map.ContainsKey("type") && map.ContainsKey("object"))) return new JsonObject { ["$events"] = new JsonArray([.. events]) };
        return events.Count == 1 ? events[0] : new JsonObject { ["$text"] = text };
    }
}
