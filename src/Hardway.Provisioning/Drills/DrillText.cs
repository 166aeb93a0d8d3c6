namespace Hardway.Provisioning.Drills;

/// <summary>A drill and the kill matrix as lines for a terminal.</summary>
public static class DrillText
{
    private const int _width = 50;

    /// <summary>Expected and measured on one time line: "=" is when it was to be expected, "o" when it came ("O": when it was due).</summary>
    public static IReadOnlyList<string> Lines(DrillReport report)
    {
        var end = Math.Max(5, report.Milestones.SelectMany(m => (double?[])[m.Latest, m.Measured]).Concat(report.Clients.Select(c => (double?)((c.OutageFrom ?? 0) + c.Outage))).Max() ?? 5) * 1.02;
        List<string[]> rows = [["SECONDS AFTER THE FAULT", "EXPECTED", "MEASURED", $"0{new string(' ', _width - 8)}{end,7:0.0}", ""]];
        rows.Add([$"fault: {report.Component} on {report.Target}, {DrillComponent.Word(report.Manner)}", "", "0.0", Bar(null, 0, end), ""]);
        rows.AddRange(report.Milestones.OrderBy(m => m.Measured ?? m.Latest).Select(m => new[]
        {
            m.Name, m.Earliest is null ? "" : m.Latest - m.Earliest < 0.05 ? $"{m.Latest:0.0}" : $"{m.Earliest:0.0} to {m.Latest:0.0}", m.Measured is { } at ? $"{at:0.0}" : "-", Bar((m.Earliest ?? 0, m.Latest ?? 0), m.Measured, end), $"{m.Verdict}: {m.Because}",
        }));
        rows.AddRange(report.Clients.Select(c => new[]
        {
            $"longest without success: {c.Name}", c.Name == DrillClients.Writer ? $"up to {report.ExpectedOutage:0.0}" : "", $"{c.Outage:0.0}", Bar((c.OutageFrom ?? 0, (c.OutageFrom ?? 0) + c.Outage), null, end),
            c.Failures == 0 ? $"{c.Tries} tries, none failed" : $"{c.Failures} of {c.Tries} tries failed: {c.FirstError}",
        }));
        var verdict = report.Outage <= report.ExpectedOutage + Milestone.Tolerance
            ? $"writes: {report.Outage:0.0} s without success, at most {report.ExpectedOutage:0.0} s were to be expected: {report.ExpectedBecause}"
            : $"writes: {report.Outage:0.0} s without success, MORE than the {report.ExpectedOutage:0.0} s to be expected: {report.ExpectedBecause}";
        return [.. TextTable.Lines(rows), verdict, .. report.Proofs.Select(p => $"{(p.Holds ? "proven" : "NOT SO")}: {p.Claim} ({p.Seen})")];
    }

    /// <summary>Component by manner: the outage of a client that writes, measured and (expected).</summary>
    public static IReadOnlyList<string> Matrix(IReadOnlyList<DrillReport> reports)
    {
        var manners = reports.Select(r => r.Manner).Distinct().Order().ToList();
        List<string[]> rows = [["OUTAGE IN SECONDS (EXPECTED)", .. manners.Select(DrillComponent.Word)]];
        rows.AddRange(reports.GroupBy(r => r.Component).Select(g => (string[])[g.Key, .. manners.Select(m => g.FirstOrDefault(r => r.Manner == m) is { } r ? Cell(r) : "")]));
        return TextTable.Lines(rows);
    }

    public static string Cell(DrillReport report) => $"{report.Outage:0.0} ({report.ExpectedOutage:0.0}){(report.Good ? "" : " !")}";

    private static string Bar((double From, double To)? span, double? mark, double end)
    {
        var cells = new string('.', _width).ToCharArray();
        int Place(double second) => (int)Math.Clamp(second / end * _width, 0, _width - 1);
        if (span is var (from, to) && to > from - 0.01)
        {
            for (var i = Place(from); i <= Place(to); i++)
            {
                cells[i] = '=';
            }
        }

        if (mark is { } at)
        {
            cells[Place(at)] = cells[Place(at)] == '=' ? 'O' : 'o';
        }

        return new string(cells);
    }
}
