using System.Text.Json;
using static Hardway.EndToEnd.ProgramRun;

namespace Hardway.EndToEnd;

/// <summary>Machines that join the cluster and leave it again while it goes on.</summary>
public sealed class MembershipTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task A_node_joins_takes_Pods_and_leaves_drained()
    {
        await HardwayAsync(Limit, "node", "add", "node-2", "-o", "json");
        Assert.Equal("10.200.2.0/24", (await HardwayAsync(TimeSpan.FromSeconds(20), "ssh", "node-2", "grep -ho '10.200.2.0/24' /etc/cni/net.d/10-bridge.conflist")).Trim());
        await KubectlAsync("run", "alone", "--image=nginx:1.22", """--overrides={"spec":{"nodeName":"node-2"}}""");
        await KubectlAsync("wait", "--for=condition=Ready", "pod/alone", "--timeout=60s");

        var refused = await RunAsync(ProgramRun.Hardway, Limit, ["node", "remove", "node-2"]);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("nobody makes these Pods of node-2 anew, they would be lost: default/alone", refused.Error, StringComparison.Ordinal);

        await HardwayAsync(Limit, "node", "remove", "node-2", "--force", "-o", "json");

        Assert.DoesNotContain("node-2", await KubectlAsync("get", "nodes", "-o", "name"), StringComparison.Ordinal);
        Assert.DoesNotContain("10.200.2.0/24", await HardwayAsync(TimeSpan.FromSeconds(20), "ssh", "node-0", "ip", "route"), StringComparison.Ordinal);
        Assert.DoesNotContain("node-2", await HardwayAsync(TimeSpan.FromSeconds(20), "status"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_etcd_has_lost_joins_again_and_the_founders_are_not_started_again()
    {
        var before = await StartedAsync();
        await HardwayAsync(TimeSpan.FromSeconds(60), "break", "two-member-etcd");
        Assert.Contains("hardway server add server-2", (await RunAsync(ProgramRun.Hardway, TimeSpan.FromSeconds(60), ["doctor"])).Output, StringComparison.Ordinal);

        await HardwayAsync(Limit, "server", "add", "server-2", "-o", "json");

        Assert.Contains("mended", await HardwayAsync(TimeSpan.FromSeconds(60), "break", "--check"), StringComparison.Ordinal);
        Assert.Equal(before, await StartedAsync());
    }

    [Fact]
    public async Task A_server_is_replaced_by_another_and_never_more_than_a_majority_is_risked()
    {
        await HardwayAsync(TimeSpan.FromSeconds(30), "lab", "kill", "server-2");
        var refused = await RunAsync(ProgramRun.Hardway, Limit, ["server", "remove", "server-0"]);
        Assert.Contains("server-0 cannot leave: etcd would be left with 2 members (server-1, server-2), of which 2 must answer", refused.Error, StringComparison.Ordinal);

        await HardwayAsync(Limit, "server", "remove", "server-2", "-o", "json");
        var added = await HardwayAsync(Limit, "server", "add", "server-2", "--address", "10.240.0.72", "-o", "json");

        Assert.DoesNotContain(added.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement), l => l.TryGetProperty("good", out var good) && !good.GetBoolean());
        Assert.Equal("", (await HardwayAsync(TimeSpan.FromSeconds(60), "doctor")).Trim());
        Assert.Contains("10.240.0.72", await KubectlAsync("get", "endpoints", "kubernetes", "-o", "jsonpath={.subsets[*].addresses[*].ip}"), StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(ProgramRun.Hardway, TimeSpan.FromSeconds(90), ["plan"])).ExitCode);
    }

    private static Task<string> StartedAsync() => HardwayAsync(TimeSpan.FromSeconds(20), "ssh", "server-0", "systemctl", "show", "-p", "ExecMainStartTimestampMonotonic", "etcd");
}
