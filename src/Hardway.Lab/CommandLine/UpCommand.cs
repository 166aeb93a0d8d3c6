using Hardway.Hosting;
using Hardway.Lab.Host;
using Hardway.Lab.Progress;
using Hardway.Provisioning;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Planning;
using Hardway.Provisioning.Steps;

namespace Hardway.Lab.CommandLine;

/// <summary>How `up` is to go about it.</summary>
internal sealed record UpOptions
{
    /// <summary>A machine database; with one, and without <see cref="Lab"/>, these are machines that exist.</summary>
    public string? Machines { get; init; }

    /// <summary>Whether this host runs the machines.</summary>
    public bool Lab { get; init; }

    public string User { get; init; } = "root";

    public string? Key { get; init; }

    /// <summary>ed25519 or rsa; null: as the cluster has it, else ed25519.</summary>
    public string? KeyType { get; init; }

    /// <summary>The user's password, for the first log-in and sudo.</summary>
    public string? Password { get; init; }

    /// <summary>Whether bad findings of the preflight are told and passed over.</summary>
    public bool IgnorePreflight { get; init; }

    /// <summary>Whether each step says what it does and why.</summary>
    public bool Explain { get; init; }
}

/// <summary>`hardway up`: machines (in the lab), images, provisioning, verification, and where to go from here. Again on a running cluster it changes nothing.</summary>
internal static class UpCommand
{
    public static async Task<int> RunAsync(JumpboxSession session, UpOptions options, OutputFormat format, CancellationToken stop)
    {
        var start = session.Time.GetTimestamp();
        var machines = session.Machines(options.Machines);
        if (options.Lab) Preflight.RequireRoot();
        using var only = LabLock.TakeCluster(session.Paths);
        await using var view = session.View(format, machines, lines: options.Explain);
        var images = await MachinesAndImagesAsync(session, options, machines, view, stop);
        await PreflightCommand.StopOnBadAsync(session.Provisioning(machines, options, images), view, options.IgnorePreflight, stop);
        new ClusterAccess(options.Lab, options.User).Write(session.ClusterDirectory);
        await using var provisioner = new Provisioner(session.Provisioning(machines, options, images));
        var machinesUp = session.Time.GetElapsedTime(start);
        var report = await provisioner.UpAsync(options.Explain ? Explained(provisioner, view) : view.Step, stop);
        var provisioned = session.Time.GetElapsedTime(start);
        await ConcludeAsync(session, provisioner, report, view, start, stop);
        var verified = session.Time.GetElapsedTime(start);
        view.Say($"verified after {verified.TotalSeconds:0.0} s: machines and images {machinesUp.TotalSeconds:0.0} s, provisioning {(provisioned - machinesUp).TotalSeconds:0.0} s, verification {(verified - provisioned).TotalSeconds:0.0} s{Slowest(report)}");
        foreach (var line in Next(provisioner.AdminKubeconfig)) view.Say(line);
        return 0;
    }

    /// <summary>What every run that changed machines ends with: its receipt, and a verification of the cluster as it is now. Throws when something is not as it must be.</summary>
    public static async Task ConcludeAsync(JumpboxSession session, Provisioner provisioner, StepReport report, ProgressView view, long start, CancellationToken stop)
    {
        await view.EndStepsAsync();
        view.Say($"{report.Changed} steps done, {report.Unchanged} in place already, after {Seconds(session, start)} s");
        var receipt = await provisioner.ReceiptAsync(report, stop);
        foreach (var line in Lines(receipt, provisioner)) view.Say(line);
        if (!report.Succeeded) throw Failed(report, provisioner);
        var findings = await provisioner.VerifyAsync(thorough: false, view.Found, stop);
        if (findings.Count(f => !f.Good) is > 0 and var bad) throw new ComponentException($"{bad} of {findings.Count} checks are not as they must be (above). What was done is in {provisioner.Transcript}");
    }

    public static async Task<IReadOnlyList<ImageArchive>> MachinesAndImagesAsync(JumpboxSession session, UpOptions options, MachineDatabase machines, ProgressView view, CancellationToken stop)
    {
        if (!options.Lab) return await session.Images.EnsureAsync(view.Step, stop);
        var lab = session.Lab(machines);
        await lab.EnsurePackagesAsync(view.Step, stop);
        var up = lab.UpAsync(view.Step, stop);
        var images = session.Images.EnsureAsync(view.Step, stop);
        await Task.WhenAll(up, images);
        return await images;
    }

    /// <summary>Says what a step does and why, with this run's values, when it begins to do something.</summary>
    private static Action<StepEvent> Explained(Provisioner provisioner, ProgressView view)
    {
        var told = new HashSet<string>();
        var explanations = provisioner.Graph.Steps.ToLookup(s => (s.Name, s.Machine), s => s);
        return value =>
        {
            view.Step(value);
            if (value.State != StepState.Applying || explanations[(value.Step, value.Machine)].FirstOrDefault() is not { } step || !told.Add(step.Id)) return;
            view.Say($"           {step.Id}: {step.Explain}");
        };
    }

    private static IEnumerable<string> Lines(Receipt receipt, Provisioner provisioner)
    {
        foreach (var machine in receipt.Machines.Where(m => m.Changes.Count + m.Unplanned.Count > 0))
        {
            var kinds = machine.Changes.GroupBy(c => c.Kind).Select(g => $"{g.Count()} {g.Key}{(g.Count() > 1 ? g.Key.EndsWith('y') ? "" : "s" : "")}");
            yield return $"receipt {machine.Machine}: {string.Join(", ", kinds)}; {(machine.Unplanned.Count == 0 ? "nothing else" : "NOT PLANNED: " + string.Join(", ", machine.Unplanned.Take(5)))}";
        }
        if (receipt.Machines.Any(m => m.Changes.Count > 0)) yield return $"receipt, line by line: {provisioner.ReceiptFile}";
    }

    private static string Slowest(StepReport report)
    {
        var slow = report.Results.Where(r => r.State == StepState.Changed).OrderByDescending(r => r.Elapsed).Take(4).ToList();
        return slow.Count == 0 ? "" : "; longest steps: " + string.Join(", ", slow.Select(r => $"{r.Step}{(r.Machine.Length > 0 ? "@" + r.Machine : "")} {r.Elapsed.TotalSeconds:0.0} s"));
    }

    private static ComponentException Failed(StepReport report, Provisioner provisioner)
    {
        var lines = report.Failures.Select(f => $"{(f.Machine.Length > 0 ? f.Machine : "jumpbox")} {f.Step}: {f.Detail}");
        return new ComponentException(string.Join('\n', lines.Append($"the cluster is not complete; run it again when that is mended. Everything that was done is in {provisioner.Transcript}")));
    }

    private static IEnumerable<string> Next(string kubeconfig) =>
    [
        "",
        "kubeconfig: " + kubeconfig,
        "  ./hardway kubectl get nodes -o wide",
        "  ./hardway kubectl create deployment web --image=nginx:1.22 --replicas=2",
        "  ./hardway ssh server-0 journalctl -u kube-apiserver -f",
    ];

    private static string Seconds(JumpboxSession session, long start) => $"{session.Time.GetElapsedTime(start).TotalSeconds:0.0}";
}
