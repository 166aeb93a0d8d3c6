using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Hardway.Oracle.Tests.Replay;

/// <summary>One line of a scenario: a request, and what was answered to it.</summary>
internal sealed partial class Step(JsonObject line)
{
    public string Id => line["id"]!.GetValue<string>();

    public string Method => line["method"]!.GetValue<string>();

    public string Path => line["path"]!.GetValue<string>();

    public bool WithCertificate => line["certificate"]?.GetValue<bool>() ?? true;

    public JsonObject? Expect => line["expect"] as JsonObject;

    /// <summary>The pointers that are compared; none at all where the list is empty, everything where there is no list.</summary>
    public IReadOnlyList<string>? Pick => line["pick"] is JsonArray ? [.. Texts("pick")] : null;

    public IEnumerable<string> Ignore => Texts("ignore");

    public IEnumerable<string> PickLines => Texts("pickLines");

    /// <summary>For what happens asynchronously: how long the answer may take to be the recorded one.</summary>
    public TimeSpan? Wait => line["wait"] is JsonObject wait ? TimeSpan.FromSeconds(wait["seconds"]?.GetValue<int>() ?? 30) : null;

    public TimeSpan? Pause => line["sleep"] is { } seconds ? TimeSpan.FromSeconds(seconds.GetValue<int>()) : null;

    /// <summary>Sends in the background, under this name.</summary>
    public string? Start => line["start"]?.GetValue<string>();

    /// <summary>Compares what the request of this name brought.</summary>
    public string? Join => line["join"]?.GetValue<string>();

    public IEnumerable<(string Name, string Pointer)> Captures => Pairs("capture");

    public IEnumerable<(string Pointer, string Value)> Same => Pairs("same");

    public IEnumerable<(string Pointer, string Value)> Differs => Pairs("differs");

    /// <summary>The field managers that the request names.</summary>
    public IEnumerable<string> Managers => line["path"] is { } path ? ManagerParameter().Matches(path.GetValue<string>()).Select(m => m.Groups[1].Value) : [];

    /// <summary>What the background request was, with what this step says of its answer.</summary>
    public Step Over(Step started)
    {
        var merged = (JsonObject)started.Line.DeepClone();
        foreach (var (key, value) in line) merged[key] = value?.DeepClone();
        return new Step(merged);
    }

    public IEnumerable<KeyValuePair<string, string>> Headers(Variables variables)
    {
        var headers = new JsonObject { ["User-Agent"] = "replay/1.0", ["Accept"] = "application/json" };
        if (line["body"] is not null) headers["Content-Type"] = "application/json";
        foreach (var (name, value) in line["headers"] as JsonObject ?? []) headers[name] = value?.DeepClone();
        foreach (var (name, value) in headers)
        {
            foreach (var item in value as JsonArray ?? [value?.DeepClone()])
            {
                if (item is not null) yield return KeyValuePair.Create(name, variables.ExpandText(item.GetValue<string>()));
            }
        }
    }

    public byte[]? Body(Variables variables) => line["body"] switch
    {
        null => null,
        JsonObject { Count: 1 } raw when raw["$base64"] is { } bytes => Convert.FromBase64String(bytes.GetValue<string>()),
        JsonValue text when text.TryGetValue<string>(out var plain) => Encoding.UTF8.GetBytes(variables.ExpandText(plain)),
        var body => Encoding.UTF8.GetBytes(variables.Expand(body)!.ToJsonString(OracleJson.Relaxed)),
    };

    /// <summary>The generateName that the request sends without a name.</summary>
    public string? GenerateName(Variables variables)
        => line["body"] is JsonObject body && body["metadata"] is JsonObject meta && !meta.ContainsKey("name") && meta["generateName"] is JsonValue prefix && prefix.TryGetValue<string>(out var text)
            ? variables.ExpandText(text)
            : null;

    private JsonObject Line => line;

    private IEnumerable<string> Texts(string key) => (line[key] as JsonArray ?? []).Select(p => p!.GetValue<string>());

    private IEnumerable<(string Key, string Value)> Pairs(string key) => (line[key] as JsonObject ?? []).Select(p => (p.Key, p.Value!.GetValue<string>()));

    [GeneratedRegex(@"[?&]fieldManager=([\w.-]+)")]
    private static partial Regex ManagerParameter();
}
