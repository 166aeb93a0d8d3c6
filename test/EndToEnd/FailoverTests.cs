using static Hardway.EndToEnd.ProgramRun;

namespace Hardway.EndToEnd;

/// <summary>The cluster without one of its servers.</summary>
public sealed class FailoverTests
{
    private static readonly string[] Holder = ["-n", "kube-system", "get", "lease", "kube-controller-manager", "-o", "jsonpath={.spec.holderIdentity}"];

    [Fact]
    public async Task The_cluster_goes_on_without_the_machine_that_held_the_lease_and_takes_it_back()
    {
        var holder = await KubectlAsync(Holder);
        var machine = holder[..holder.IndexOf('_', StringComparison.Ordinal)];
        await HardwayAsync(TimeSpan.FromSeconds(30), "lab", "kill", machine);

        await EventuallyAsync("another holder of the Lease", TimeSpan.FromSeconds(60), () => TryKubectlAsync(["--request-timeout=5s", .. Holder]), now => now.Length > 0 && now != holder);
        await KubectlAsync("create", "deployment", "after", "--image=nginx:1.22", "--replicas=2");
        await KubectlAsync("rollout", "status", "deployment/after", "--timeout=90s");
        Assert.Equal(3, (await RunAsync(ProgramRun.Hardway, TimeSpan.FromSeconds(30), ["status"])).ExitCode);

        await HardwayAsync(TimeSpan.FromSeconds(90), "lab", "start", machine);
        await EventuallyAsync($"{machine} in the cluster again", TimeSpan.FromSeconds(60), () => RunAsync(ProgramRun.Hardway, TimeSpan.FromSeconds(10), ["ssh", machine, "curl", "-sk", "https://127.0.0.1:6443/readyz"]), answer => answer == "ok");
        await EventuallyAsync("three healthy members of etcd", TimeSpan.FromSeconds(60), async () => new ProgramResult("etcdctl", 0, await UpTests.EtcdctlAsync("endpoint", "health", "--cluster", "||", "true"), ""),
            health => health.Split('\n').Count(l => l.Contains("is healthy", StringComparison.Ordinal)) == 3);
        Assert.Equal(0, (await RunAsync(ProgramRun.Hardway, TimeSpan.FromSeconds(30), ["status"])).ExitCode);
        await KubectlAsync("delete", "deployment", "after");
    }

    [Fact]
    public async Task Every_API_server_reads_on_when_the_etcd_member_that_it_watched_is_powered_off()
    {
        string[] servers = ["server-0", "server-1", "server-2"];
        foreach (var dead in servers)
        {
            await HardwayAsync(TimeSpan.FromSeconds(30), "lab", "kill", dead);
            foreach (var alive in servers.Where(s => s != dead))
                await ReadsAsync(alive);
            await HardwayAsync(TimeSpan.FromSeconds(90), "lab", "start", dead);
            await ReadsAsync(dead);
        }
    }

    /// <summary>A consistent read, answered by the machine's own API server.</summary>
    private static Task ReadsAsync(string machine) =>
        EventuallyAsync(
            $"a consistent read from {machine}",
            TimeSpan.FromSeconds(60),
            () => TryKubectlAsync($"--server=https://10.240.0.7{machine[^1]}:6443", "--tls-server-name=server.kubernetes.local", "--request-timeout=10s", "get", "namespace", "default", "-o", "name"),
            answer => answer.Trim() == "namespace/default");

    [Fact]
    public async Task A_node_that_is_killed_and_started_again_comes_back_by_itself()
    {
        var before = await KubectlAsync("get", "lease", "node-1", "-n", "kube-node-lease", "-o", "jsonpath={.spec.renewTime}");
        await HardwayAsync(TimeSpan.FromSeconds(30), "lab", "kill", "node-1");
        await HardwayAsync(TimeSpan.FromSeconds(90), "lab", "start", "node-1");

        await EventuallyAsync("node-1 renews its Lease", TimeSpan.FromSeconds(60), () => TryKubectlAsync("get", "lease", "node-1", "-n", "kube-node-lease", "-o", "jsonpath={.spec.renewTime}"), now => string.CompareOrdinal(now, before) > 0);
        await KubectlAsync("wait", "--for=condition=Ready", "node/node-1", "--timeout=60s");
        foreach (var unit in new[] { "containerd", "kubelet", "kube-proxy" })
            Assert.Equal("active", (await HardwayAsync(TimeSpan.FromSeconds(20), "ssh", "node-1", "systemctl", "is-active", unit)).Trim());
        await PinnedPodRunsAsync();
    }

    /// <summary>The node takes Pods again, and they get a network.</summary>
    private static async Task PinnedPodRunsAsync()
    {
        await KubectlAsync("run", "pinned", "--image=busybox:1.36", "--restart=Never", """--overrides={"spec":{"nodeName":"node-1"}}""", "--", "sleep", "3600");
        await KubectlAsync("wait", "--for=condition=Ready", "pod/pinned", "--timeout=60s");
        Assert.StartsWith("10.200.1.", await KubectlAsync("get", "pod", "pinned", "-o", "jsonpath={.status.podIP}"), StringComparison.Ordinal);
        await KubectlAsync("delete", "pod", "pinned", "--grace-period=1");
    }
}
