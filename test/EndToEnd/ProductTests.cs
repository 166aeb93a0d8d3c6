using System.Text.Json;
using System.Xml.Linq;
using static Hardway.EndToEnd.ProgramRun;

namespace Hardway.EndToEnd;

/// <summary>The hard way as a product: every step shown, everything verified, faults found, drills with a clock. All by the command line, as a user has it.</summary>
public sealed class ProductTests(ClusterFixture cluster)
{
    private static List<JsonElement> Lines(string output) => [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement)];

    [Fact]
    public async Task A_receipt_shows_that_what_was_planned_changed_and_nothing_else()
    {
        var receipts = Lines(cluster.UpOutput).Where(l => l.TryGetProperty("message", out var m) && m.GetString()!.StartsWith("receipt ", StringComparison.Ordinal)).Select(l => l.GetProperty("message").GetString()!).ToList();

        Assert.Contains(receipts, r => r.StartsWith("receipt server-0: ", StringComparison.Ordinal));
        Assert.DoesNotContain(receipts, r => r.Contains("NOT PLANNED", StringComparison.Ordinal));
        Assert.Contains("/etc/etcd/etcd.crt", await File.ReadAllTextAsync("/var/lib/hardway/clusters/default/receipt.txt", TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plan_names_what_differs_touches_nothing_and_a_step_alone_mends_it()
    {
        Assert.Equal(0, (await RunAsync(ProgramRun.Hardway, TimeSpan.FromSeconds(90), ["plan", "-o", "json"])).ExitCode);
        await HardwayAsync(TimeSpan.FromSeconds(20), "ssh", "node-1", "echo '# changed' >>/etc/cni/net.d/99-loopback.conf");

        var plan = await RunAsync(ProgramRun.Hardway, TimeSpan.FromSeconds(90), ["plan", "-o", "json"]);

        Assert.Equal(3, plan.ExitCode);
        var changed = Lines(plan.Output)[0].GetProperty("steps").EnumerateArray().Where(s => s.GetProperty("plan").GetString() == "change").ToList();
        Assert.Equal("containerd", Assert.Single(changed).GetProperty("step").GetString());
        Assert.Contains("/etc/cni/net.d/99-loopback.conf", changed[0].GetProperty("changes").GetRawText(), StringComparison.Ordinal);
        Assert.Contains("# changed", await HardwayAsync(TimeSpan.FromSeconds(20), "ssh", "node-1", "cat", "/etc/cni/net.d/99-loopback.conf"), StringComparison.Ordinal);

        Assert.Contains("99-loopback.conf", await HardwayAsync(TimeSpan.FromSeconds(60), "step", "run", "containerd@node-1"), StringComparison.Ordinal);
        Assert.DoesNotContain("# changed", await HardwayAsync(TimeSpan.FromSeconds(20), "ssh", "node-1", "cat", "/etc/cni/net.d/99-loopback.conf"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_step_says_what_it_makes_and_why()
    {
        Assert.Contains("kube-scheduler", await HardwayAsync(TimeSpan.FromSeconds(20), "step", "list"), StringComparison.Ordinal);
        var step = Lines(await HardwayAsync(TimeSpan.FromSeconds(20), "step", "show", "etcd@server-1", "-o", "json"))[0];
        Assert.Contains("10.240.0.71:2379", step.GetProperty("explain").GetString(), StringComparison.Ordinal);
        Assert.Contains("/etc/systemd/system/etcd.service", step.GetProperty("makes").GetRawText(), StringComparison.Ordinal);
        Assert.Contains("there is no step", (await RunAsync(ProgramRun.Hardway, TimeSpan.FromSeconds(20), ["step", "show", "nonsense"])).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everything_is_verified_and_a_junit_file_says_so()
    {
        var junit = Path.GetTempFileName();
        var verify = await RunAsync(ProgramRun.Hardway, TimeSpan.FromMinutes(3), ["verify", "-o", "json", "--junit", junit]);

        Assert.True(verify.ExitCode == 0, verify.ToString());
        var findings = Lines(verify.Output).Where(l => l.TryGetProperty("finding", out _)).ToList();
        Assert.Contains("RAFT INDEX", findings.Single(f => f.GetProperty("finding").GetString() == "etcd members").GetProperty("table").GetRawText(), StringComparison.Ordinal);
        foreach (var subject in new[] { "names on node-0", "ways from lb", "log-in on server-2", "certificate of kubelet node-1", "certificate of etcd peer server-0", "backends of lb", "lb without server-2", "packets from node-0 to node-1", "packets from node-1 to node-0" })
            Assert.Contains(findings, f => f.GetProperty("finding").GetString() == subject);
        Assert.Equal(3, XDocument.Load(junit).Root!.Elements("testsuite").Count());
        File.Delete(junit);
    }

    [Fact]
    public async Task The_doctor_has_nothing_to_say_of_a_healthy_cluster_and_names_every_fault()
    {
        var matrix = await RunAsync(ProgramRun.Hardway, TimeSpan.FromMinutes(12), ["doctor", "--matrix", "-o", "json"]);

        var lines = Lines(matrix.Output);
        Assert.True(lines.Count > 35, matrix.ToString());
        Assert.Equal("", string.Join('\n', lines.Where(l => l.GetProperty("possible").GetBoolean() && !l.GetProperty("named").GetBoolean())));
        Assert.Equal(["clock-skew", "swap-on"], lines.Where(l => !l.GetProperty("possible").GetBoolean()).Select(l => l.GetProperty("fault").GetString()!));
        Assert.Equal("", string.Join('\n', lines.Where(l => l.TryGetProperty("others", out _))));
    }

    [Fact]
    public async Task A_learner_finds_a_fault_mends_it_and_is_told_about_it()
    {
        await HardwayAsync(TimeSpan.FromSeconds(60), "break", "forwarding-off");
        Assert.Contains("hint 1 of 3", await HardwayAsync(TimeSpan.FromSeconds(20), "break", "--hint"), StringComparison.Ordinal);
        Assert.Equal(3, (await RunAsync(ProgramRun.Hardway, TimeSpan.FromSeconds(60), ["break", "--check"])).ExitCode);
        var diagnosis = (await RunAsync(ProgramRun.Hardway, TimeSpan.FromSeconds(60), ["doctor"])).Output;
        Assert.Contains("hardway step run node-network@node-1", diagnosis, StringComparison.Ordinal);

        await HardwayAsync(TimeSpan.FromSeconds(60), "step", "run", "node-network@node-1");

        Assert.Contains("with 1 hints: forwarding-off", await HardwayAsync(TimeSpan.FromSeconds(60), "break", "--check"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("scheduler-leader", "stop")]
    [InlineData("api-server", "kill")]
    [InlineData("etcd-follower", "full-disk")]
    public async Task A_drill_loses_no_write_and_ends_in_time(string component, string manner)
    {
        var drill = await RunAsync(ProgramRun.Hardway, TimeSpan.FromMinutes(4), ["drill", component, "--manner", manner, "-o", "json"]);

        var report = Lines(drill.Output).Single(l => l.TryGetProperty("drill", out _));
        Assert.All(report.GetProperty("proofs").EnumerateArray(), p => Assert.True(p.GetProperty("holds").GetBoolean(), drill.ToString()));
        Assert.True(report.GetProperty("outage").GetDouble() < 3, drill.ToString());
    }

    [Fact]
    public async Task What_if_is_answered_from_the_live_membership()
    {
        var answer = await RunAsync(ProgramRun.Hardway, TimeSpan.FromSeconds(30), ["what-if", "lose", "server-0", "then", "server-1", "-o", "json"]);

        Assert.Equal(3, answer.ExitCode);
        Assert.Equal([true, true, false], Lines(answer.Output).Select(l => l.GetProperty("writes").GetBoolean()));
    }
}
