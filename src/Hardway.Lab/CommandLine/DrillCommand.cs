using Hardway.Hosting;
using Hardway.Provisioning;
using Hardway.Provisioning.Drills;

namespace Hardway.Lab.CommandLine;

/// <summary>`hardway drill`: takes something away from the running cluster and measures what follows. Ends with 3 when a proof does not hold or an outage is longer than the settings say.</summary>
internal static class DrillCommand
{
    public static int List(OutputFormat format)
    {
        foreach (var component in DrillComponent.All)
        {
            var manners = component.Manners.Select(DrillComponent.Word).ToList();
            Console.WriteLine(format == OutputFormat.Json
                ? JsonText.Write(w => { w.WriteString("component", component.Name); w.WriteString("what", component.What); JsonText.Strings(w, "manners", manners); })
                : $"{component.Name,-28}{string.Join(' ', manners),-32}{component.What}");
        }
        return ExitCodes.Done;
    }

    public static async Task<int> RunAsync(JumpboxSession session, string component, string manner, OutputFormat format, CancellationToken stop)
    {
        using var only = LabLock.TakeCluster(session.Paths);
        await using var provisioner = new Provisioner(session.Kept());
        var field = await provisioner.DrillsAsync(session.Access.Lab, Power(session), stop);
        var report = await field.RunAsync(DrillComponent.Find(component), DrillComponent.MannerOf(manner), Say(format), stop);
        Write(report, format);
        return report.Good ? ExitCodes.Done : ExitCodes.Differs;
    }

    /// <summary>Every drill that is possible here, one after the other, and the kill matrix of them.</summary>
    public static async Task<int> AllAsync(JumpboxSession session, string? component, string? svg, string? html, OutputFormat format, CancellationToken stop)
    {
        using var only = LabLock.TakeCluster(session.Paths);
        await using var provisioner = new Provisioner(session.Kept());
        var field = await provisioner.DrillsAsync(session.Access.Lab, Power(session), stop);
        var reports = new List<DrillReport>();
        var all = field.All.Where(d => component is null || d.Component.Name == component).ToList();
        List<(DrillComponent, Manner, string)> impossible = [.. all.Where(d => d.Obstacle is not null).Select(d => (d.Component, d.Manner, d.Obstacle!))];
        foreach (var (what, manner, _) in all.Where(d => d.Obstacle is null))
        {
            var report = await field.RunAsync(what, manner, Say(format), stop);
            reports.Add(report);
            Write(report, format);
            // After each: an interrupted series leaves what it has.
            if (svg is not null) await File.WriteAllTextAsync(svg, DrillSvg.Matrix(reports, impossible), stop);
            if (html is not null) await File.WriteAllTextAsync(html, DrillSvg.Page(reports, impossible), stop);
        }
        if (reports.Count == 0) throw new ComponentException($"there is nothing to drill{(component is null ? "" : $" of {component}")} here");
        if (format == OutputFormat.Text) foreach (var line in DrillText.Matrix(reports)) Console.WriteLine(line);
        foreach (var (what, manner, obstacle) in impossible) Say(format)($"not here: {what.Name} by {DrillComponent.Word(manner)}: {obstacle}");
        return reports.All(r => r.Good) ? ExitCodes.Done : ExitCodes.Differs;
    }

    private static Action<string> Say(OutputFormat format) => line => Console.WriteLine(format == OutputFormat.Json ? JsonText.Write(w => w.WriteString("message", line)) : line);

    private static void Write(DrillReport report, OutputFormat format)
    {
        if (format == OutputFormat.Text)
        {
            foreach (var line in DrillText.Lines(report)) Console.WriteLine(line);
            Console.WriteLine();
            return;
        }
        Console.WriteLine(JsonText.Write(w =>
        {
            w.WriteString("drill", report.Component);
            w.WriteString("manner", DrillComponent.Word(report.Manner));
            w.WriteString("target", report.Target);
            w.WriteBoolean("good", report.Good);
            w.WriteNumber("outage", Math.Round(report.Outage, 3));
            w.WriteNumber("expectedOutage", Math.Round(report.ExpectedOutage, 3));
            JsonObjects.Write(w, "timeline", report.Milestones, m =>
            {
                w.WriteString("what", m.Name);
                if (m.Earliest is { } earliest) w.WriteNumber("earliest", Math.Round(earliest, 3));
                if (m.Latest is { } latest) w.WriteNumber("latest", Math.Round(latest, 3));
                if (m.Measured is { } measured) w.WriteNumber("measured", Math.Round(measured, 3));
                w.WriteString("verdict", m.Verdict);
                w.WriteString("because", m.Because);
            });
            JsonObjects.Write(w, "clients", report.Clients, c =>
            {
                w.WriteString("client", c.Name);
                w.WriteNumber("tries", c.Tries);
                w.WriteNumber("failures", c.Failures);
                w.WriteNumber("outage", Math.Round(c.Outage, 3));
                if (c.FirstError.Length > 0) w.WriteString("firstError", c.FirstError);
            });
            JsonObjects.Write(w, "proofs", report.Proofs, p =>
            {
                w.WriteString("claim", p.Claim);
                w.WriteBoolean("holds", p.Holds);
                w.WriteString("seen", p.Seen);
            });
        }));
    }

    /// <summary>The lab's machines have a switch; that of others is not within reach.</summary>
    private static IPower? Power(JumpboxSession session) => session.Access.Lab && Environment.UserName == "root" ? new LabPower(session.Lab()) : null;

    private sealed class LabPower(MachineLab lab) : IPower
    {
        public Task OffAsync(string machine, CancellationToken cancellation) => lab.KillMachineAsync(machine, cancellation);

        public Task OnAsync(string machine, CancellationToken cancellation) => lab.StartMachineAsync(machine, null, cancellation);
    }
}
