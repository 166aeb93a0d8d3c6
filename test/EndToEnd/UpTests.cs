using System.Text.Json;
using static Hardway.EndToEnd.ProgramRun;

namespace Hardway.EndToEnd;

/// <summary>What `up` promises of itself.</summary>
public sealed class UpTests(ClusterFixture cluster)
{
    private static IEnumerable<JsonElement> Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement);

    [Theory]
    [InlineData("etcd members")]
    [InlineData("API server server-0")]
    [InlineData("API server server-1")]
    [InlineData("API server server-2")]
    [InlineData("API through lb")]
    [InlineData("Lease kube-controller-manager")]
    [InlineData("Lease kube-scheduler")]
    [InlineData("nodes")]
    [InlineData("Deployment of 2 nginx")]
    [InlineData("Pod to Pod")]
    [InlineData("ClusterIP")]
    [InlineData("DNS name")]
    [InlineData("logs")]
    [InlineData("exec")]
    [InlineData("Secret in etcd")]
    public void Up_verified(string subject)
    {
        var finding = Lines(cluster.UpOutput).SingleOrDefault(l => l.TryGetProperty("finding", out var f) && f.GetString() == subject);

        Assert.True(finding.ValueKind == JsonValueKind.Object, $"nothing was said of '{subject}'");
        Assert.True(finding.GetProperty("good").GetBoolean(), finding.GetProperty("seen").GetString());
    }

    [Fact]
    public async Task A_second_up_finds_everything_in_place_and_changes_nothing()
    {
        var output = await HardwayAsync(TimeSpan.FromMinutes(3), "up", "-o", "json");

        Assert.DoesNotContain(Lines(output), l => l.TryGetProperty("state", out var state) && state.GetString() == "changed");
    }

    [Fact]
    public async Task Status_tells_that_all_is_well()
    {
        var status = JsonDocument.Parse(await HardwayAsync(TimeSpan.FromSeconds(30), "status", "-o", "json")).RootElement;

        Assert.Equal(6, status.GetProperty("machines").GetArrayLength());
        Assert.Equal(2, status.GetProperty("nodes").GetArrayLength());
    }

    [Fact]
    public async Task Ssh_runs_a_command_on_a_machine()
    {
        Assert.Equal("node-1", (await HardwayAsync(TimeSpan.FromSeconds(30), "ssh", "node-1", "hostname")).Trim());
    }

    [Fact]
    public async Task Etcd_answers_to_its_own_client_and_all_members_are_healthy()
    {
        var health = await EtcdctlAsync("endpoint", "health", "--cluster");

        Assert.Equal(3, health.Split('\n').Count(l => l.Contains("is healthy", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_secret_is_not_readable_in_etcd()
    {
        await KubectlAsync("create", "secret", "generic", "at-rest", "--from-literal=word=open-sesame");

        var stored = await EtcdctlAsync("get", "/registry/secrets/default/at-rest");

        Assert.Contains("k8s:enc:", stored, StringComparison.Ordinal);
        Assert.DoesNotContain("open-sesame", stored, StringComparison.Ordinal);
        Assert.Equal("open-sesame", System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(await KubectlAsync("get", "secret", "at-rest", "-o", "jsonpath={.data.word}"))));
    }

    /// <summary>As an operator would on a server: its own client certificate, the variables that etcdctl reads.</summary>
    internal static async Task<string> EtcdctlAsync(params string[] arguments)
    {
        var result = await RunAsync(ProgramRun.Hardway, TimeSpan.FromSeconds(30),
        [
            "ssh", "server-0", "etcdctl", "--endpoints=https://127.0.0.1:2379", "--cacert=/var/lib/kubernetes/etcd-ca.crt", "--cert=/var/lib/kubernetes/etcd-client.crt",
            "--key=/var/lib/kubernetes/etcd-client.key", "2>&1", .. arguments,
        ]);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }
}
