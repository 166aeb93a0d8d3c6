using Hardway.Hosting;
using Hardway.Provisioning;
using Hardway.Provisioning.Steps;

namespace Hardway.Lab.CommandLine;

/// <summary>`hardway step ...`: the steps of provisioning one by one: what they are, what they make and why, any of them alone, and back.</summary>
internal static class StepCommand
{
    public static async Task<int> ListAsync(JumpboxSession session, OutputFormat format)
    {
        await using var provisioner = new Provisioner(session.Kept());
        if (format == OutputFormat.Json)
        {
            foreach (var step in provisioner.Graph.Steps)
            {
                Console.WriteLine(JsonText.Write(w =>
                {
                    w.WriteString("step", step.Id);
                    w.WriteString("explain", step.Explain);
                    JsonText.Strings(w, "after", [.. provisioner.Graph.DependenciesOf(step).Select(d => d.Id)]);
                }));
            }
            return ExitCodes.Done;
        }
        List<string[]> rows = [["STEP", "ON", "AFTER"]];
        rows.AddRange(provisioner.Graph.Steps.GroupBy(s => s.Name).Select(g => new[]
        {
            g.Key,
            g.First().Machine.Length == 0 ? "jumpbox" : string.Join(' ', g.Select(s => s.Machine)),
            string.Join(' ', g.SelectMany(provisioner.Graph.DependenciesOf).Select(d => d.Name).Distinct()),
        }));
        foreach (var line in TextTable.Lines(rows)) Console.WriteLine(line);
        return ExitCodes.Done;
    }

    public static async Task<int> ShowAsync(JumpboxSession session, string name, OutputFormat format)
    {
        await using var provisioner = new Provisioner(session.Kept());
        foreach (var step in provisioner.Find(name))
        {
            if (format == OutputFormat.Json)
            {
                Console.WriteLine(JsonText.Write(w =>
                {
                    w.WriteString("step", step.Id);
                    w.WriteString("explain", step.Explain);
                    w.WriteString("expected", step.Expected);
                    JsonText.Strings(w, "after", [.. provisioner.Graph.DependenciesOf(step).Select(d => d.Id)]);
                    JsonText.Items(w, "makes", step.Contents);
                }));
                continue;
            }
            Console.WriteLine($"{step.Id}\n  what and why: {step.Explain}\n  must be seen: {step.Expected}");
            Console.WriteLine($"  after: {string.Join(' ', provisioner.Graph.DependenciesOf(step).Select(d => d.Id))}\n  makes:");
            foreach (var item in step.Contents)
            {
                Console.WriteLine($"    {item.Kind} {item.Name}{(item.Detail.Length > 0 && !item.Detail.Contains('\n', StringComparison.Ordinal) ? $" ({item.Detail})" : "")}");
                if (item.Detail.Contains('\n', StringComparison.Ordinal)) foreach (var line in item.Detail.Split('\n')) Console.WriteLine("      | " + line);
            }
        }
        return ExitCodes.Done;
    }

    public static async Task<int> RunAsync(JumpboxSession session, string name, OutputFormat format, CancellationToken stop)
    {
        using var only = LabLock.TakeCluster(session.Paths);
        var options = session.Kept();
        await using var provisioner = new Provisioner(options with { Images = await session.Images.BuiltAsync(stop) });
        var wanted = provisioner.Find(name).Select(s => s.Id).ToHashSet();
        await using var view = session.View(format, options.Machines);
        var report = await provisioner.RunStepAsync(name, view.Step, stop);
        await view.EndStepsAsync();
        foreach (var result in report.Results.Where(r => r.State != StepState.Blocked))
        {
            var id = result.Machine.Length > 0 ? $"{result.Step}@{result.Machine}" : result.Step;
            if (!wanted.Contains(id) && result.State != StepState.Failed) continue;
            view.Say($"{id}: {result.State.ToString().ToLowerInvariant()}{(result.State == StepState.Failed ? ": " + result.Detail : "")}");
            foreach (var change in result.Changes) view.Say($"  changed: {change}");
            if (wanted.Contains(id)) view.Say($"  expected: {provisioner.Find(id)[0].Expected}");
            if (result.Seen.Length > 0) view.Say($"  seen: {result.Seen}");
        }
        return report.Succeeded ? ExitCodes.Done : ExitCodes.Failed;
    }

    public static async Task<int> UndoAsync(JumpboxSession session, string name, OutputFormat format, CancellationToken stop)
    {
        using var only = LabLock.TakeCluster(session.Paths);
        var options = session.Kept();
        await using var provisioner = new Provisioner(options);
        await using var view = session.View(format, options.Machines);
        var undone = await provisioner.UndoStepAsync(name, _ => { }, stop);
        await view.EndStepsAsync();
        foreach (var step in undone) view.Say($"{step.Id}: undone");
        return ExitCodes.Done;
    }
}
