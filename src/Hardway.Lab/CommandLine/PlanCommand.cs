using Hardway.Hosting;
using Hardway.Provisioning;
using Hardway.Provisioning.Steps;

namespace Hardway.Lab.CommandLine;

/// <summary>`hardway plan`: what `up` would change, machine by machine, and nothing is touched. Ends with 0 when nothing would, with 3 when something would.</summary>
internal static class PlanCommand
{
    public static async Task<int> RunAsync(JumpboxSession session, UpOptions options, OutputFormat format, CancellationToken stop)
    {
        var machines = session.Machines(options.Machines);
        var report = await Provisioner.PlanAsync(session.Provisioning(machines, options, await session.Images.BuiltAsync(stop)), _ => { }, stop);
        var changes = report.Results.Where(r => r.State == StepState.Changed).ToList();
        if (format == OutputFormat.Json) Console.WriteLine(Json(report));
        else Write(machines.Machines.Select(m => m.HostName).Prepend("").ToList(), report, Console.Out);
        if (report.Failures.Count > 0) throw new ComponentException(string.Join('\n', report.Failures.Select(f => $"{(f.Machine.Length > 0 ? f.Machine : "jumpbox")} {f.Step}: {f.Detail}; what would change there is not known")));
        return changes.Count == 0 ? 0 : ExitCodes.Differs;
    }

    private static void Write(List<string> machines, StepReport report, TextWriter output)
    {
        foreach (var machine in machines)
        {
            var changed = report.Results.Where(r => r.Machine == machine && r.State == StepState.Changed).ToList();
            output.WriteLine($"{(machine.Length > 0 ? machine : "jumpbox and cluster")}: {(changed.Count == 0 ? "nothing would change" : $"{changed.Sum(c => c.Changes.Count)} things would change")}");
            foreach (var step in changed)
            {
                output.WriteLine($"  {step.Step}");
                foreach (var change in step.Changes) output.WriteLine($"    {change}");
            }
        }
        output.WriteLine("nothing was touched; hardway up does this");
    }

    private static string Json(StepReport report) => JsonText.Write(writer =>
    {
        writer.WriteStartArray("steps");
        foreach (var result in report.Results)
        {
            writer.WriteStartObject();
            writer.WriteString("step", result.Step);
            if (result.Machine.Length > 0) writer.WriteString("machine", result.Machine);
            writer.WriteString("plan", result.State switch { StepState.Changed => "change", StepState.Unchanged => "in place", _ => "not known" });
            if (result.Detail.Length > 0) writer.WriteString("reason", result.Detail);
            JsonText.Items(writer, "changes", result.Changes);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    });
}
