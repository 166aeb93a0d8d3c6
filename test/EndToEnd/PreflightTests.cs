using System.Text.Json;
using static Hardway.EndToEnd.ProgramRun;

namespace Hardway.EndToEnd;

/// <summary>What is wrong with machines is told before anything is changed on them.</summary>
public sealed class PreflightTests
{
    private const string Filter = "nft add table inet before; nft 'add chain inet before in { type filter hook input priority -40; }'; nft add rule inet before in";

    [Fact]
    public async Task Machines_of_a_running_cluster_are_fit()
    {
        var output = await HardwayAsync(TimeSpan.FromSeconds(60), "preflight", "-o", "json");

        Assert.DoesNotContain(output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement), l => l.GetProperty("severity").GetString() == "error");
    }

    [Theory]
    [InlineData("tcp dport 10250 drop", "node-1", "no answer")]
    [InlineData("tcp dport 10250 reject with tcp reset", "node-1", "refused, though somebody listens")]
    public async Task A_filtered_port_stops_up_with_one_line_a_peer_and_nothing_is_changed(string rule, string machine, string seen)
    {
        await HardwayAsync(TimeSpan.FromSeconds(20), "ssh", machine, $"{Filter} {rule}");
        try
        {
            var up = await RunAsync(ProgramRun.Hardway, TimeSpan.FromMinutes(2), ["up", "-o", "json"]);

            Assert.Equal(1, up.ExitCode);
            Assert.Contains($"hardway: {machine}: server-0 does not reach its port 10250 (kubelet, for logs and exec): {seen} (ports). Open it in the packet filters", up.Error, StringComparison.Ordinal);
            Assert.Contains("nothing was changed", up.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("\"state\":\"changed\"", up.Output, StringComparison.Ordinal);
        }
        finally
        {
            await HardwayAsync(TimeSpan.FromSeconds(20), "ssh", machine, "nft delete table inet before");
        }
    }

    [Fact]
    public async Task A_machine_that_is_left_out_of_the_database_has_to_leave_in_order()
    {
        var file = Path.Combine(Path.GetTempPath(), $"hardway-machines-{Guid.NewGuid():N}");
        var kept = await File.ReadAllLinesAsync("/var/lib/hardway/clusters/default/machines.txt", TestContext.Current.CancellationToken);
        await File.WriteAllLinesAsync(file, kept.Where(l => !l.Contains("node-1", StringComparison.Ordinal)), TestContext.Current.CancellationToken);
        try
        {
            var up = await RunAsync(ProgramRun.Hardway, TimeSpan.FromMinutes(2), ["up", "--lab", "--machines", file]);
            Assert.Contains("hardway node remove node-1", up.Error, StringComparison.Ordinal);
            Assert.Equal("node-1", (await HardwayAsync(TimeSpan.FromSeconds(20), "ssh", "node-1", "hostname")).Trim());
        }
        finally
        {
            File.Delete(file);
        }
    }
}
