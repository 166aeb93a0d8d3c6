using Hardway.Hosting;
using Hardway.Lab.Progress;
using Hardway.Provisioning;
using Hardway.Provisioning.Preflight;

namespace Hardway.Lab.CommandLine;

/// <summary>`hardway preflight`: what would make a cluster of these machines suffer, before anything is done to them. Ends with 3 when something would stop `up`.</summary>
internal static class PreflightCommand
{
    public static async Task<int> RunAsync(JumpboxSession session, UpOptions options, OutputFormat format, CancellationToken stop)
    {
        var machines = session.Machines(options.Machines);
        var provisioning = session.Provisioning(machines, options, []);
        var findings = await Provisioner.PreflightAsync(provisioning with { Ssh = provisioning.Ssh with { Patience = TimeSpan.FromSeconds(5) } }, _ => { }, stop);
        foreach (var finding in findings) Console.WriteLine(format == OutputFormat.Json ? Json(finding) : finding.ToString());
        var bad = findings.Count(f => !f.IsWarning);
        if (format == OutputFormat.Text) Console.WriteLine(bad > 0 ? $"{bad} would stop up, {findings.Count - bad} would not; nothing was touched" : $"{machines.Machines.Count} machines are fit for up{(findings.Count > 0 ? $", with {findings.Count} warnings" : "")}; nothing was touched");
        return bad == 0 ? ExitCodes.Done : ExitCodes.Differs;
    }

    /// <summary>For whoever is about to change machines: warnings are said, and anything worse ends it here.</summary>
    public static async Task StopOnBadAsync(ProvisioningOptions provisioning, ProgressView view, bool ignore, CancellationToken stop)
    {
        var findings = await Provisioner.PreflightAsync(provisioning, view.Step, stop);
        foreach (var finding in findings.Where(f => f.IsWarning || ignore)) view.Say(finding.ToString());
        var bad = findings.Where(f => !f.IsWarning).Select(f => f.ToString()).ToList();
        if (bad.Count == 0 || ignore) return;
        await view.EndStepsAsync();
        throw new ComponentException(string.Join('\n', bad.Append("nothing was changed; run it again when that is mended, or with --ignore-preflight")));
    }

    private static string Json(PreflightFinding finding) => JsonText.Write(w =>
    {
        w.WriteString("subject", finding.Subject);
        if (finding.Machine.Length > 0) w.WriteString("machine", finding.Machine);
        w.WriteString("severity", finding.IsWarning ? "warning" : "error");
        w.WriteString("seen", finding.Seen);
        w.WriteString("fix", finding.Fix);
    });
}
