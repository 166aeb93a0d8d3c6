using System.Text.Json.Nodes;

namespace Hardway.EndToEnd.Tests;

/// <summary>What `up` promises, and that the cluster outlives the loss of machines.</summary>
[Collection(LabCollection.Name)]
public sealed class ClusterLifeTests(LabCluster cluster)
{
    [Fact]
    public void Up_ends_verified_and_says_where_to_go_from_here()
    {
        Assert.Contains("verified after", cluster.UpOutput, StringComparison.Ordinal);
        Assert.Contains($"kubeconfig: {Tool.Kubeconfig}", cluster.UpOutput, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_up_finds_everything_in_place_and_changes_nothing()
    {
        var before = await RevisionsAsync();
        var output = (await Tool.HardwayAsync("up")).Good();
        Assert.Contains("\n0 steps done, ", output, StringComparison.Ordinal);
        Assert.Equal(before, await RevisionsAsync());
    }

    [Fact]
    public async Task Etcd_has_three_healthy_members_for_etcdctl_as_well()
    {
        var output = (await Tool.HardwayAsync("ssh", "server-0", "ETCDCTL_API=3 etcdctl --cacert=/etc/etcd/ca.crt --cert=/etc/etcd/etcd.crt --key=/etc/etcd/etcd.key "
            + "--endpoints=https://127.0.0.1:2379 endpoint health --cluster 2>&1")).Good();
        Assert.Equal(3, output.Split('\n').Count(l => l.Contains("is healthy", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_cluster_goes_on_when_the_machine_with_the_controller_managers_lease_is_killed_and_takes_it_back()
    {
        await Tool.KubeAsync("create", "deployment", "survivor", "--image=nginx:1.22");
        await Tool.KubeAsync("rollout", "status", "deployment/survivor", "--timeout=60s");
        var holder = await HolderAsync();
        var victim = holder.Split('_')[0];
        Assert.StartsWith("server-", victim, StringComparison.Ordinal);
        (await Tool.HardwayAsync("lab", "kill", victim)).Good();
        try
        {
            await Tool.EventuallyAsync("another controller manager leads", TimeSpan.FromSeconds(45), async () =>
            {
                var now = await HolderAsync();
                return (now.Length > 0 && !now.StartsWith(victim, StringComparison.Ordinal), now);
            });
            await Tool.KubeAsync("scale", "deployment/survivor", "--replicas=3");
            await Tool.KubeAsync("rollout", "status", "deployment/survivor", "--timeout=60s");
            Assert.Equal("3", await Tool.KubeAsync("get", "deployment", "survivor", "-o", "jsonpath={.status.readyReplicas}"));
        }
        finally
        {
            (await Tool.HardwayAsync("lab", "start", victim)).Good();
        }

        await Tool.EventuallyAsync($"{victim} serves the API again", TimeSpan.FromSeconds(60), async () =>
        {
            var ready = await Tool.KubectlAsync("--server", $"https://{victim}:6443", "get", "--raw", "/readyz");
            return (ready.ExitCode == 0, ready.Error);
        });
        await Tool.KubeAsync("delete", "deployment", "survivor");
    }

    [Fact]
    public async Task A_node_that_is_killed_and_started_again_comes_back_by_itself()
    {
        (await Tool.HardwayAsync("lab", "kill", "node-1")).Good();
        (await Tool.HardwayAsync("lab", "start", "node-1")).Good();
        await Tool.EventuallyAsync("node-1 renews its Lease and is Ready", TimeSpan.FromSeconds(90), async () =>
        {
            var boot = (await Tool.HardwayAsync("ssh", "node-1", "systemctl is-active kubelet containerd kube-proxy")).Output;
            var ready = await Tool.KubectlAsync("get", "node", "node-1", "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}");
            return (ready.Output == "True" && !boot.Contains("inactive", StringComparison.Ordinal), $"{boot} Ready={ready.Output} {ready.Error}");
        });
        var pods = JsonNode.Parse(await Tool.KubeAsync("get", "pods", "-n", "kube-system", "-o", "json"))!;
        Assert.NotEmpty(pods["items"]!.AsArray());
    }

    private static async Task<string> HolderAsync()
    {
        var answer = await Tool.KubectlAsync("-n", "kube-system", "get", "lease", "kube-controller-manager", "-o", "jsonpath={.spec.holderIdentity}");
        return answer.ExitCode == 0 ? answer.Output.Trim() : "";
    }

    /// <summary>Of the objects that provisioning made: a write would change them.</summary>
    private static Task<string> RevisionsAsync() => Tool.KubeAsync(
        "get", "clusterrole/system:kube-apiserver-to-kubelet", "clusterrolebinding/system:kube-apiserver", "clusterrole/system:cluster-dns",
        "-o", "jsonpath={range .items[*]}{.metadata.name}={.metadata.resourceVersion} {end}");
}
