using System.Xml.Linq;
using Hardway.Provisioning;
using Hardway.Provisioning.Verification;

namespace Hardway.Lab.CommandLine;

/// <summary>`hardway verify`: expected against seen for all three modules; also as JSON lines and as a JUnit file. Ends with 3 when something is not as it must be.</summary>
internal static class VerifyCommand
{
    public static async Task<int> RunAsync(JumpboxSession session, bool gentle, string? junit, OutputFormat format, CancellationToken stop)
    {
        using var only = LabLock.TakeCluster(session.Paths);
        var options = session.Kept();
        await using var provisioner = new Provisioner(options);
        await using var view = session.View(format, options.Machines);
        await view.EndStepsAsync();
        foreach (var (machine, reason) in await provisioner.ConnectAsync(stop)) view.Say($"{machine} does not take SSH: {reason}");
        var findings = await provisioner.VerifyAsync(!gentle, finding =>
        {
            view.Found(finding);
            if (format == OutputFormat.Json) return;
            view.Say($"           expected  {finding.Expected}");
            foreach (var line in finding.Table) view.Say("                     " + line);
        }, stop);
        foreach (var module in findings.GroupBy(f => f.Module).OrderBy(g => g.Key))
            view.Say($"module {(int)module.Key:00} {Title(module.Key)}: {module.Count(f => f.Good)} of {module.Count()} as expected");
        if (junit is not null) Write(junit, findings);
        return findings.All(f => f.Good) ? ExitCodes.Done : ExitCodes.Differs;
    }

    internal static void Write(string path, IReadOnlyList<Finding> findings) => new XDocument(new XElement("testsuites", findings.GroupBy(f => f.Module).OrderBy(g => g.Key).Select(module => new XElement(
        "testsuite",
        new XAttribute("name", Title(module.Key)),
        new XAttribute("tests", module.Count()),
        new XAttribute("failures", module.Count(f => !f.Good)),
        module.Select(f => new XElement(
            "testcase",
            new XAttribute("classname", Title(module.Key)),
            new XAttribute("name", f.Subject),
            new XAttribute("time", $"{f.Elapsed.TotalSeconds:0.000}"),
            f.Good
                ? new XElement("system-out", Clean($"expected: {f.Expected}\nseen: {f.Seen}\n{string.Join('\n', f.Table)}"))
                : new XElement("failure", new XAttribute("message", Clean(f.Seen)), Clean($"expected: {f.Expected}\nseen: {f.Seen}")))))))).Save(path);

    /// <summary>What a program said may hold characters that XML has no place for.</summary>
    private static string Clean(string text) => string.Concat(text.Where(System.Xml.XmlConvert.IsXmlChar));

    private static string Title(Module module) => module switch
    {
        Module.Provisioning => "provisioning",
        Module.HighAvailability => "high availability",
        _ => "runtime and networking",
    };
}
