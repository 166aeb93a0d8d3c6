using System.Text.Json.Nodes;

namespace Hardway.Oracle.Tests.Replay;

/// <summary>A file of scenarios/: a header and its steps, and beside it (known/NAME.txt) the ids of the steps that are known to fail.</summary>
internal sealed record Scenario(string Name, bool HasNamespace, List<string> CleanUp, List<Step> Steps, HashSet<string> KnownFailures)
{
    public static IEnumerable<string> Names => Directory.EnumerateFiles(Folder("scenarios"), "*.jsonl").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal);

    public static Scenario Load(string name)
    {
        var lines = File.ReadLines(Path.Combine(Folder("scenarios"), name + ".jsonl")).Where(l => l.Length > 0).Select(l => (JsonObject)JsonNode.Parse(l)!).ToList();
        var known = Path.Combine(Folder("known"), name + ".txt");
        return new Scenario(
            name,
            lines[0]["namespace"]?.GetValue<bool>() ?? false,
            [.. (lines[0]["cleanup"] as JsonArray ?? []).Select(p => p!.GetValue<string>())],
            [.. lines.Skip(1).Select(l => new Step(l))],
            File.Exists(known) ? [.. File.ReadLines(known).Where(l => l.Length > 0)] : []);
    }

    private static string Folder(string name) => Path.Combine(AppContext.BaseDirectory, name);
}
