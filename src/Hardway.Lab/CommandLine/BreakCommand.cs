using System.Globalization;
using System.Text.Json.Nodes;
using Hardway.Hosting;
using Hardway.Provisioning;
using Hardway.Provisioning.Doctor;

namespace Hardway.Lab.CommandLine;

/// <summary>
/// `hardway break`: a fault for a learner to find. Which one is in the cluster, since when and how many hints were given is kept in the cluster's directory.
/// <code>break NAME | --random ──► look for it (--hint as often as wanted) ──► mend it ──► --check ──► debrief      (--undo gives up)</code>
/// </summary>
internal static class BreakCommand
{
    private sealed record Exercise(string Fault, DateTimeOffset Since, int Hints);

    public static async Task<int> ListAsync(JumpboxSession session, OutputFormat format)
    {
        await using var provisioner = new Provisioner(session.Kept());
        var faults = provisioner.Faults(session.Access.Lab);
        foreach (var fault in faults)
        {
            Console.WriteLine(format == OutputFormat.Json
                ? JsonText.Write(w =>
                {
                    w.WriteString("fault", fault.Name);
                    w.WriteString("title", fault.Title);
                    if (fault.Obstacle is not null) w.WriteString("obstacle", fault.Obstacle);
                })
                : $"{fault.Name,-36}{fault.Title}{(fault.Obstacle is null ? "" : $" [not here: {fault.Obstacle}]")}");
        }
        return ExitCodes.Done;
    }

    public static async Task<int> PutInAsync(JumpboxSession session, string? name, OutputFormat format, CancellationToken stop)
    {
        using var only = LabLock.TakeCluster(session.Paths);
        if (Read(session) is { } now) throw new ComponentException("there is a fault in the cluster already: find it (break --hint, break --check), or give up with break --undo");
        await using var provisioner = new Provisioner(session.Kept());
        var clinic = await provisioner.ClinicAsync(session.Access.Lab, stop);
        var possible = clinic.Faults.Where(f => f.Obstacle is null).ToList();
        var fault = name is null ? possible[Random.Shared.Next(possible.Count)] : clinic.Faults.FirstOrDefault(f => f.Name == name) ?? throw new ComponentException($"there is no fault '{name}'; hardway break --list shows them");
        // Written first: what is half in can be taken out.
        Write(session, new Exercise(fault.Name, session.Time.GetUtcNow(), 0));
        await clinic.PutInAsync(fault.Name, stop);
        Tell(format, "broken", name is null
            ? "something is wrong with the cluster now. Find it and mend it; hardway break --hint helps, hardway break --check says whether it is mended"
            : $"{fault.Title}. hardway break --check says whether it is mended, hardway break --undo takes it out",
            w => { if (name is not null) w.WriteString("fault", fault.Name); });
        return ExitCodes.Done;
    }

    public static async Task<int> HintAsync(JumpboxSession session, OutputFormat format)
    {
        var exercise = Current(session);
        await using var provisioner = new Provisioner(session.Kept());
        var hints = provisioner.Faults(session.Access.Lab).Single(f => f.Name == exercise.Fault).Hints;
        var given = Math.Min(exercise.Hints + 1, hints.Count);
        Write(session, exercise with { Hints = given });
        Tell(format, "hint", format == OutputFormat.Json ? hints[given - 1] : $"hint {given} of {hints.Count}: {hints[given - 1]}", w => { w.WriteNumber("number", given); w.WriteNumber("of", hints.Count); });
        return ExitCodes.Done;
    }

    public static async Task<int> CheckAsync(JumpboxSession session, OutputFormat format, CancellationToken stop)
    {
        var exercise = Current(session);
        using var only = LabLock.TakeCluster(session.Paths);
        await using var provisioner = new Provisioner(session.Kept());
        var clinic = await provisioner.ClinicAsync(session.Access.Lab, stop);
        var said = await clinic.ExamineAsync(stop);
        if (said.Any(d => d.Cause == exercise.Fault))
        {
            Tell(format, "there", "it is still there");
            return ExitCodes.Differs;
        }
        foreach (var other in said)
        {
            Tell(format, "other", $"mended, but {(other.Machine.Length > 0 ? other.Machine : "the cluster")} has something else now: {other.Title} ({other.Evidence})",
                w => { w.WriteString("cause", other.Cause); w.WriteString("machine", other.Machine); });
        }
        if (said.Count > 0) return ExitCodes.Differs;
        await clinic.TakeOutAsync(exercise.Fault, stop);
        Debrief(session, exercise, clinic.Faults.Single(f => f.Name == exercise.Fault), "mended", format);
        return ExitCodes.Done;
    }

    public static async Task<int> UndoAsync(JumpboxSession session, OutputFormat format, CancellationToken stop)
    {
        var exercise = Current(session);
        using var only = LabLock.TakeCluster(session.Paths);
        await using var provisioner = new Provisioner(session.Kept());
        var clinic = await provisioner.ClinicAsync(session.Access.Lab, stop);
        await clinic.TakeOutAsync(exercise.Fault, stop);
        Debrief(session, exercise, clinic.Faults.Single(f => f.Name == exercise.Fault), "taken out", format);
        return ExitCodes.Done;
    }

    private static void Debrief(JumpboxSession session, Exercise exercise, FaultDescription fault, string how, OutputFormat format)
    {
        File.Delete(PathIn(session));
        var took = session.Time.GetUtcNow() - exercise.Since;
        Tell(format, how, format == OutputFormat.Json ? fault.Lesson : $"{how} after {took.TotalMinutes:0.0} minutes with {exercise.Hints} hints: {fault.Name}\n{fault.Title}.\n{fault.Lesson}", w =>
        {
            w.WriteString("fault", fault.Name);
            w.WriteString("title", fault.Title);
            w.WriteNumber("hints", exercise.Hints);
            w.WriteNumber("seconds", Math.Round(took.TotalSeconds, 1));
        });
    }

    private static void Tell(OutputFormat format, string state, string message, Action<System.Text.Json.Utf8JsonWriter>? more = null) => Console.WriteLine(format == OutputFormat.Json
        ? JsonText.Write(w =>
        {
            w.WriteString("state", state);
            w.WriteString("message", message);
            more?.Invoke(w);
        })
        : message);

    private static Exercise Current(JumpboxSession session) =>
        Read(session) ?? throw new ComponentException("there is no fault of ours in the cluster: hardway break --random puts one in");

    private static Exercise? Read(JumpboxSession session)
    {
        if (!File.Exists(PathIn(session))) return null;
        var kept = JsonNode.Parse(File.ReadAllText(PathIn(session)))!;
        return new Exercise((string)kept["fault"]!, DateTimeOffset.Parse((string)kept["since"]!, CultureInfo.InvariantCulture), (int)kept["hints"]!);
    }

    private static void Write(JumpboxSession session, Exercise exercise) => File.WriteAllText(
        PathIn(session), new JsonObject { ["fault"] = exercise.Fault, ["since"] = exercise.Since.ToString("o"), ["hints"] = exercise.Hints }.ToJsonString());

    private static string PathIn(JumpboxSession session) => Path.Combine(session.ClusterDirectory, "fault.json");
}
