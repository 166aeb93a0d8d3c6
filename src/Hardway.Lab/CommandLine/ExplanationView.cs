using System.Text;
using System.Text.Json;
using Hardway.Scheduler.Explain;

namespace Hardway.Lab.CommandLine;

/// <summary>An explanation as a text of blocks, a node each, or as JSON.</summary>
internal static class ExplanationView
{
    public static void Write(PodExplanation explanation, OutputFormat format, TextWriter output)
    {
        if (format == OutputFormat.Json)
        {
            output.WriteLine(Json(explanation));
            return;
        }
        var where = explanation.Node is { } node ? $"is on {node}; this is what the scheduler would say if it came now" : "has no node";
        output.WriteLine($"Pod {explanation.Namespace}/{explanation.Name} ({explanation.Scheduler}) {where}");
        if (explanation.Message is { } message) output.WriteLine(message);
        output.WriteLine($"\n{"NODE",-24}{"VERDICT",-10}{"TOTAL",-7}WHY");
        foreach (var verdict in explanation.Nodes)
            output.WriteLine($"{verdict.Name,-24}{(verdict.Fits ? "fits" : "refused"),-10}{(verdict.Fits ? verdict.Total.ToString() : "-"),-7}{Why(verdict)}");
        if (explanation.Nodes.Count == 0) return;
        Filters(explanation.Nodes, output);
        Scores(explanation.Nodes.Where(n => n.Fits).ToList(), output);
    }

    private static string Why(NodeVerdict verdict) => verdict.Fits
        ? string.Join(" + ", verdict.Scores.Select(s => $"{s.Plugin} {s.Score}*{s.Weight}"))
        : string.Join("; ", verdict.Filters.Where(f => f.Outcome == FilterOutcome.Refused).Select(f => $"{f.Plugin}: {f.Reason}{(f.PreemptionMayHelp ? " (preemption may help)" : "")}"));

    /// <summary>A line a plugin, a column a node.</summary>
    private static void Filters(IReadOnlyList<NodeVerdict> nodes, TextWriter output)
    {
        Header("FILTER", nodes, output);
        foreach (var plugin in nodes.SelectMany(n => n.Filters).Select(f => f.Plugin).Distinct())
            Row(plugin, nodes, n => Word(n.Filters.LastOrDefault(f => f.Plugin == plugin)?.Outcome), output);
    }

    private static void Scores(List<NodeVerdict> nodes, TextWriter output)
    {
        if (nodes.Count == 0) return;
        Header("SCORE (weight)", nodes, output);
        foreach (var score in nodes[0].Scores)
            Row($"{score.Plugin} ({score.Weight})", nodes, n => n.Scores.FirstOrDefault(s => s.Plugin == score.Plugin)?.Score.ToString() ?? "-", output);
        Row("total", nodes, n => n.Total.ToString(), output);
    }

    private static void Header(string title, IReadOnlyList<NodeVerdict> nodes, TextWriter output)
    {
        output.WriteLine();
        Row(title, nodes, n => n.Name, output);
    }

    private static void Row(string title, IReadOnlyList<NodeVerdict> nodes, Func<NodeVerdict, string> cell, TextWriter output) =>
        output.WriteLine($"{title,-36}{string.Concat(nodes.Select(n => cell(n).PadRight(Math.Max(9, n.Name.Length + 1))))}".TrimEnd());

    private static string Word(FilterOutcome? outcome) => outcome switch
    {
        FilterOutcome.Passed => "ok",
        FilterOutcome.Refused => "REFUSED",
        _ => "-",
    };

    private static string Json(PodExplanation explanation)
    {
        var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("namespace", explanation.Namespace);
            writer.WriteString("name", explanation.Name);
            writer.WriteString("scheduler", explanation.Scheduler);
            if (explanation.Node is { } node) writer.WriteString("node", node);
            if (explanation.Message is { } message) writer.WriteString("message", message);
            JsonObjects.Write(writer, "nodes", explanation.Nodes, n =>
            {
                writer.WriteString("name", n.Name);
                writer.WriteBoolean("fits", n.Fits);
                if (n.Fits) writer.WriteNumber("total", n.Total);
                JsonObjects.Write(writer, "filters", n.Filters, f =>
                {
                    writer.WriteString("plugin", f.Plugin);
                    writer.WriteString("outcome", f.Outcome.ToString().ToLowerInvariant());
                    if (f.Reason is { } reason) writer.WriteString("reason", reason);
                    if (f.Outcome == FilterOutcome.Refused) writer.WriteBoolean("preemptionMayHelp", f.PreemptionMayHelp);
                });
                JsonObjects.Write(writer, "scores", n.Scores, s =>
                {
                    writer.WriteString("plugin", s.Plugin);
                    writer.WriteNumber("score", s.Score);
                    writer.WriteNumber("weight", s.Weight);
                });
            });
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
