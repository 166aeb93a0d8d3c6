using System.Text.Json.Nodes;

namespace Hardway.Oracle.Tests.Replay;

/// <summary>A file of scenarios/: a header and its steps.</summary>
internal sealed record Scenario(string Name, bool HasNamespace, List<string> CleanUp, List<Step> Steps)
{
    public static IEnumerable<string> Names => Directory.EnumerateFiles(Folder, "*.jsonl").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal);

    public static Scenario Load(string name)
    {
        var lines = File.ReadLines(Path.Combine(Folder, name + ".jsonl")).Where(l => l.Length > 0).Select(l => (JsonObject)JsonNode.Parse(l)!).ToList();
        return new Scenario(
            name,
            lines[0]["namespace"]?.GetValue<bool>() ?? false,
            [.. (lines[0]["cleanup"] as JsonArray ?? []).Select(p => p!.GetValue<string>())],
            [.. lines.Skip(1).Select(l => new Step(l))]);
    }

    private static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "scenarios");
}
