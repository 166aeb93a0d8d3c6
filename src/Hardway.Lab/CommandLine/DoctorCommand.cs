using Hardway.Provisioning;
using Hardway.Provisioning.Doctor;

namespace Hardway.Lab.CommandLine;

/// <summary>`hardway doctor`: what is wrong, its evidence and the way out; nothing to say on a healthy cluster. Ends with 3 when something is wrong.</summary>
internal static class DoctorCommand
{
    public static async Task<int> RunAsync(JumpboxSession session, OutputFormat format, CancellationToken stop)
    {
        await using var provisioner = new Provisioner(session.Kept());
        var clinic = await provisioner.ClinicAsync(session.Access.Lab, stop);
        var said = await clinic.ExamineAsync(stop);
        foreach (var diagnosis in said) Console.WriteLine(format == OutputFormat.Json ? Json(diagnosis) : Text(diagnosis));
        return said.Count == 0 ? ExitCodes.Done : ExitCodes.Differs;
    }

    /// <summary>Puts in every fault (or those named), asks the doctor each time, and prints the matrix.</summary>
    public static async Task<int> MatrixAsync(JumpboxSession session, IReadOnlyList<string> names, OutputFormat format, CancellationToken stop)
    {
        using var only = LabLock.TakeCluster(session.Paths);
        await using var provisioner = new Provisioner(session.Kept());
        var clinic = await provisioner.ClinicAsync(session.Access.Lab, stop);
        if (format == OutputFormat.Text) Console.WriteLine($"{"FAULT",-34}{"NAMED",-7}{"ASKED",-8}ALSO SAID");
        var lines = await clinic.MatrixAsync(names, line => Console.WriteLine(format == OutputFormat.Json ? Json(line) : Text(line)), stop);
        var tried = lines.Where(l => l.Fault.Length > 0 && !IsImpossible(l)).ToList();
        if (format == OutputFormat.Text) Console.WriteLine($"{tried.Count(l => l.Named)} of {tried.Count} faults named, {lines.Count(IsImpossible)} not possible here");
        return lines.All(l => l.Named || IsImpossible(l)) ? ExitCodes.Done : ExitCodes.Differs;
    }

    private static bool IsImpossible(MatrixLine line) => line is { Named: false, Asked.Ticks: 0, Note.Length: > 0 };

    private static string Text(Diagnosis d) =>
        $"{(d.Machine.Length > 0 ? d.Machine : "cluster")}: {d.Title} ({d.Cause})\n  evidence: {d.Evidence}\n  fix:      {d.Fix}";

    private static string Text(MatrixLine line) =>
        $"{(line.Fault.Length > 0 ? line.Fault : "(healthy)"),-34}{(line.Named ? "yes" : IsImpossible(line) ? "-" : "NO"),-7}{(IsImpossible(line) ? "" : $"{line.Asked.TotalSeconds:0.0} s"),-8}{string.Join(", ", line.Others)}{(line.Note.Length > 0 ? $"  {line.Note}" : "")}";

    private static string Json(Diagnosis d) => JsonText.Write(w =>
    {
        w.WriteString("cause", d.Cause);
        if (d.Machine.Length > 0) w.WriteString("machine", d.Machine);
        w.WriteString("title", d.Title);
        w.WriteString("evidence", d.Evidence);
        w.WriteString("fix", d.Fix);
    });

    private static string Json(MatrixLine line) => JsonText.Write(w =>
    {
        w.WriteString("fault", line.Fault);
        w.WriteBoolean("named", line.Named);
        w.WriteBoolean("possible", !IsImpossible(line));
        w.WriteNumber("seconds", Math.Round(line.Asked.TotalSeconds, 3));
        JsonText.Strings(w, "others", line.Others);
        if (line.Note.Length > 0) w.WriteString("note", line.Note);
    });
}
