using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Hardway.Oracle.Tests.Replay;

/// <summary>The ${names} of a scenario: the run's own, and what its steps captured. ${repeat:x:1000} is a text repeated.</summary>
internal sealed partial class Variables
{
    private readonly Dictionary<string, JsonNode?> _values = new(StringComparer.Ordinal);
    private readonly HashSet<string> _shown = new(StringComparer.Ordinal);

    /// <summary>The texts that are written back as ${name} wherever they occur, the longest first.</summary>
    public IEnumerable<(string Text, string Name)> Shown => _shown.Where(_values.ContainsKey)
        .Select(n => (Text: _values[n]!.GetValue<string>(), Name: n)).Where(p => p.Text.Length > 0).OrderByDescending(p => p.Text.Length);

    public void Show(string name, string value)
    {
        _values[name] = value;
        _shown.Add(name);
    }

    /// <summary>Keeps what a step's answer has at the pointer; where it has nothing, later steps that need it fail and say so.</summary>
    public void Capture(string name, string pointer, JsonNode? answer)
    {
        if (!JsonPointer.TryGet(answer, pointer, out var value))
        {
            _values.Remove(name);
            return;
        }

        _values[name] = value?.DeepClone();
        if (value?.GetValueKind() == JsonValueKind.String && (Uid().IsMatch(value.GetValue<string>()) || pointer.EndsWith("/name", StringComparison.Ordinal))) _shown.Add(name);
    }

    public JsonNode? Expand(JsonNode? value)
    {
        switch (value)
        {
            case JsonObject map:
                return new JsonObject(map.Select(p => KeyValuePair.Create(ExpandText(p.Key), Expand(p.Value))));
            case JsonArray array:
                return new JsonArray([.. array.Select(Expand)]);
            case JsonValue scalar when scalar.GetValueKind() == JsonValueKind.String:
                var text = scalar.GetValue<string>();
                return Whole().Match(text) is { Success: true } match ? Lookup(match.Groups[1].Value)?.DeepClone() : ExpandText(text);
            default:
                return value?.DeepClone();
        }
    }

    public string ExpandText(string text, bool escape = false) => text.Contains("${", StringComparison.Ordinal)
        ? Reference().Replace(text, match => One(match.Groups[1].Value, escape))
        : text;

    private string One(string name, bool escape)
    {
        if (Repeat().Match(name) is { Success: true } repeat)
        {
            return string.Concat(Enumerable.Repeat(repeat.Groups[1].Value, int.Parse(repeat.Groups[2].Value, CultureInfo.InvariantCulture)));
        }

        var found = Lookup(name)?.ToString() ?? "";
        return escape ? Uri.EscapeDataString(found) : found;
    }

    private JsonNode? Lookup(string name) => _values.TryGetValue(name, out var value)
        ? value
        : throw new StepFailedException($"needs ${{{name}}}, which an earlier step did not capture");

    [GeneratedRegex(@"^\$\{([A-Za-z]\w*)\}$")]
    private static partial Regex Whole();

    [GeneratedRegex(@"\$\{([A-Za-z]\w*|repeat:[^}]+)\}")]
    private static partial Regex Reference();

    [GeneratedRegex(@"^repeat:(.+?):(\d+)$")]
    private static partial Regex Repeat();

    [GeneratedRegex(@"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
    private static partial Regex Uid();
}
