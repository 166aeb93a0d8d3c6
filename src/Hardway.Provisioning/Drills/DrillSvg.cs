using System.Net;
using System.Text;

namespace Hardway.Provisioning.Drills;

/// <summary>The kill matrix as an SVG, and as one HTML page that needs nothing else: the matrix, and each drill's time line with its proofs.</summary>
public static class DrillSvg
{
    private const int _column = 120;
    private const int _first = 210;
    private const int _row = 34;

    /// <param name="reports">Of the drills that were run.</param>
    /// <param name="impossible">What could not be run here, and why.</param>
    public static string Matrix(IReadOnlyList<DrillReport> reports, IReadOnlyList<(DrillComponent Component, Manner Manner, string Obstacle)> impossible)
    {
        var manners = reports.Select(r => r.Manner).Concat(impossible.Select(i => i.Manner)).Distinct().Order().ToList();
        var components = DrillComponent.All.Select(c => c.Name).Where(n => reports.Any(r => r.Component == n) || impossible.Any(i => i.Component.Name == n)).ToList();
        var (width, height) = (_first + (manners.Count * _column) + 10, ((components.Count + 1) * _row) + 30);
        var svg = Open(width, height);
        for (var i = 0; i < manners.Count; i++)
        {
            Text(svg, _first + (i * _column) + (_column / 2), 22, DrillComponent.Word(manners[i]), "middle", "bold");
        }

        for (var c = 0; c < components.Count; c++)
        {
            var top = _row * (c + 1);
            Text(svg, 8, top + 22, components[c], "start", "bold");
            for (var m = 0; m < manners.Count; m++)
            {
                if (reports.FirstOrDefault(r => r.Component == components[c] && r.Manner == manners[m]) is { } report)
                {
                    var left = _first + (m * _column);
                    svg.Append($"<rect x=\"{left + 2}\" y=\"{top + 2}\" width=\"{_column - 4}\" height=\"{_row - 4}\" rx=\"4\" fill=\"{Colour(report)}\"/>");
                    Text(svg, left + (_column / 2), top + 22, $"{report.Outage:0.0} s ({report.ExpectedOutage:0.0}){(report.Good ? "" : " !")}", "middle", "normal");
                }
                else if (impossible.Any(i => i.Component.Name == components[c] && i.Manner == manners[m]))
                {
                    Text(svg, _first + (m * _column) + (_column / 2), top + 22, "not here", "middle", "normal");
                }
            }
        }

        Text(svg, 8, height - 8, "Longest time without an acknowledged write through the load balancer, measured (at most expected from the live settings).", "start", "normal");
        return svg.Append("</svg>\n").ToString();
    }

    /// <summary>One drill: for each milestone the span in which it was expected, and a dot where it came; for each client its outage.</summary>
    public static string TimeLine(DrillReport report)
    {
        const int Left = 260, Width = 560;
        var end = Math.Max(5, report.Milestones.SelectMany(m => (double?[])[m.Latest, m.Measured]).Concat(report.Clients.Select(c => (double?)((c.OutageFrom ?? 0) + c.Outage))).Max() ?? 5);
        var start = Math.Min(0, report.Milestones.Select(m => m.Measured ?? 0).DefaultIfEmpty(0).Min());
        double Place(double at) => Left + ((Math.Max(at, start) - start) / (end - start) * Width);
        var rows = report.Milestones.Count + report.Clients.Count;
        var svg = Open(Left + Width + 70, (rows * 24) + 50);
        svg.Append($"<line x1=\"{Place(0):0.0}\" y1=\"6\" x2=\"{Place(0):0.0}\" y2=\"{(rows * 24) + 16}\" stroke=\"#c33\"/>");
        Text(svg, Place(0), (rows * 24) + 32, "fault", "middle", "normal");
        Text(svg, Place(end), (rows * 24) + 32, $"{end:0.0} s", "middle", "normal");
        var top = 8;
        foreach (var milestone in report.Milestones)
        {
            Text(svg, 6, top + 14, milestone.Name, "start", "normal");
            if (milestone is { Earliest: { } from, Latest: { } to })
            {
                svg.Append($"<rect x=\"{Place(from):0.0}\" y=\"{top + 3}\" width=\"{Math.Max(2, Place(to) - Place(from)):0.0}\" height=\"14\" fill=\"#bcd\"/>");
            }

            if (milestone.Measured is { } at)
            {
                svg.Append($"<circle cx=\"{Place(at):0.0}\" cy=\"{top + 10}\" r=\"5\" fill=\"{(milestone.IsAsExpected ? "#262" : "#c33")}\"/>");
                Text(svg, Place(at) + 9, top + 14, $"{at:0.0}", "start", "normal");
            }

            top += 24;
        }

        foreach (var client in report.Clients)
        {
            Text(svg, 6, top + 14, $"{client.Name}: longest without success", "start", "normal");
            var from = client.OutageFrom ?? 0;
            svg.Append($"<rect x=\"{Place(from):0.0}\" y=\"{top + 5}\" width=\"{Math.Max(2, Place(from + client.Outage) - Place(from)):0.0}\" height=\"10\" fill=\"#e90\"/>");
            Text(svg, Place(from + client.Outage) + 4, top + 14, $"{client.Outage:0.0}", "start", "normal");
            top += 24;
        }

        return svg.Append("</svg>\n").ToString();
    }

    public static string Page(IReadOnlyList<DrillReport> reports, IReadOnlyList<(DrillComponent Component, Manner Manner, string Obstacle)> impossible)
    {
        var page = new StringBuilder("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Kill matrix</title>\n<style>body{font:14px sans-serif;margin:2em;max-width:70em}svg{max-width:100%}li{margin:.2em 0}.no{color:#c33}</style></head><body>\n<h1>Kill matrix</h1>\n");
        page.Append(Matrix(reports, impossible));
        page.Append("<p>A cell is red, with a mark, where the outage was longer than expected or a proof does not hold.</p>\n");
        if (impossible.Count > 0)
        {
            page.Append("<ul>\n").AppendJoin("", impossible.Select(i => $"<li>{Escape($"not here: {i.Component.Name} by {DrillComponent.Word(i.Manner)}: {i.Obstacle}")}</li>\n")).Append("</ul>\n");
        }

        foreach (var report in reports)
        {
            page.Append($"<h2>{Escape($"{report.Component} on {report.Target}, {DrillComponent.Word(report.Manner)}")}</h2>\n").Append(TimeLine(report)).Append("<ul>\n");
            foreach (var milestone in report.Milestones)
            {
                page.Append($"<li>{Escape($"{milestone.Name}: {milestone.Verdict}. {milestone.Because}")}</li>\n");
            }

            foreach (var proof in report.Proofs)
            {
                page.Append($"<li{(proof.Holds ? "" : " class=\"no\"")}>{Escape($"{(proof.Holds ? "proven" : "not so")}: {proof.Claim} ({proof.Seen})")}</li>\n");
            }

            page.Append("</ul>\n");
        }

        return page.Append("</body></html>\n").ToString();
    }

    private static StringBuilder Open(int width, int height) => new StringBuilder()
        .Append($"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"13\"><rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>");

    private static void Text(StringBuilder svg, double x, double y, string text, string anchor, string weight)
        => svg.Append($"<text x=\"{x:0.0}\" y=\"{y:0.0}\" text-anchor=\"{anchor}\" font-weight=\"{weight}\">{Escape(text)}</text>");

    private static string Colour(DrillReport report) => !report.Good ? "#f6b3b3" : report.Outage < 1 ? "#c9e7c9" : report.Outage < 5 ? "#f3ebb5" : "#f5d3a8";

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
