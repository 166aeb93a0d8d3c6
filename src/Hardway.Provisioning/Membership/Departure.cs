using System.Text.Json.Nodes;
using Hardway.Hosting;
using Hardway.Provisioning.Api;
using Hardway.Provisioning.Compute;
using Hardway.Provisioning.ControlPlane;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Remote;
using Hardway.Provisioning.Reset;
using Hardway.Provisioning.Ssh;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Membership;

/// <summary>
/// How a machine leaves a cluster that goes on. The order is that of joining, backwards:
/// <code>
///   node:    drain ──► reset-machine ──► forget-node
///   server:  leave-load-balancer ──► stop-control-plane ──► leave-etcd ──► reset-machine
/// </code>
/// A machine that does not answer is left as it is; everybody else forgets it.
/// </summary>
internal sealed class Departure(ClusterModel cluster, Machine machine, bool force, IEnumerable<RemoteStep> steps)
{
    private readonly List<RemoteStep> _steps = [.. steps];

    /// <summary>Why it may not leave; null when it may. Asks etcd who answers now.</summary>
    public static async Task<string?> ObstacleAsync(ClusterModel cluster, Machine machine, CancellationToken cancellation)
    {
        if (machine.Role == MachineRole.Node)
        {
            return cluster.Machines.Nodes.Count == 1 ? $"{machine} is the only node: there is nowhere for its Pods to go" : null;
        }

        var etcd = await EtcdStatus.ReadAsync(cluster, cancellation).ConfigureAwait(false);
        return cluster.Machines.Servers.Count == 1 ? $"{machine} is the only server: without it there is no cluster"
            : etcd.Voters.Contains(machine.HostName) ? EtcdMembership.RemovalObstacle(etcd.Voters, etcd.Alive, machine.HostName) : null;
    }

    /// <param name="reachable">Whether the machine takes SSH.</param>
    public IReadOnlyList<Step> Steps(bool reachable) => machine.Role == MachineRole.Node ? OfNode(reachable) : OfServer(reachable);

    private IReadOnlyList<Step> OfNode(bool reachable)
    {
        LeavingStep[] drain =
        [
            Leaving("drain", $"Closes {machine} for new Pods and evicts those it has, so that others take over before it goes.", "no Pod of another than a daemon set is left on it",
                async (context, token) =>
                {
                    using var api = new ApiConnection(cluster);
                    return await NodeDrain.RunAsync(api, machine.HostName, force, context, token).ConfigureAwait(false);
                }),
            Reset("drain"),
        ];
        return [.. reachable ? drain : [], Leaving("forget-node", $"Deletes the Node object {machine}; what is still bound to it is collected.", "the API has no such node", ForgetNodeAsync, reachable ? ["reset-machine"] : [])];
    }

    private IReadOnlyList<Step> OfServer(bool reachable)
    {
        var steps = new List<Step>();
        if (cluster.Machines.LoadBalancer is { } balancer)
        {
            steps.Add(new LeavingStep(
                "leave-load-balancer", balancer.HostName, $"HAProxy sends nobody to {machine} any more and closes the connections to it.", "HAProxy has it in maintenance", LeaveLoadBalancerAsync));
        }

        if (reachable)
        {
            steps.Add(Leaving(
                "stop-control-plane", $"Stops scheduler, controller manager and API server of {machine} in order: Leases are given back, and its address leaves the Service kubernetes.",
                $"{machine.Address} is no endpoint of the Service kubernetes", StopAsync, "leave-load-balancer?"));
        }

        steps.Add(Leaving("leave-etcd", $"Takes {machine} out of etcd: the others need one vote less. A leader hands over first.", "etcd's members do not list it", LeaveEtcdAsync, "stop-control-plane?", "leave-load-balancer?"));
        if (reachable)
        {
            steps.Add(Reset("leave-etcd"));
        }

        return steps;
    }

    private LeavingStep Leaving(string name, string explain, string expected, Func<StepContext, CancellationToken, Task<string>> act, params IReadOnlyList<string> dependsOn)
        => new(name, machine.HostName, explain, expected, act, dependsOn);

    private LeavingStep Reset(string after) => Leaving(
        "reset-machine", $"Takes everything of the cluster off {machine}, and looks for what is left.", "no file, unit, rule, route, namespace or mount of ours is left",
        async (_, token) =>
        {
            var result = (await ClusterReset.RunAsync(cluster, [machine], _steps.ToLookup(s => s.Machine), token).ConfigureAwait(false))[0];
            return result.Left.Count == 0 ? "nothing is left" : throw new ComponentException($"left on {machine}: {string.Join("; ", result.Left)}");
        },
        after);

    private async Task<string> ForgetNodeAsync(StepContext context, CancellationToken cancellation)
    {
        using var api = new ApiConnection(cluster);
        var path = $"/api/v1/nodes/{machine.HostName}";
        return await context.WaitAsync(
            $"the node {machine} to be deleted",
            async token =>
            {
                if (await api.GetAsync(path, token).ConfigureAwait(false) is null)
                {
                    return null;
                }

                await api.DeleteAsync(path, token).ConfigureAwait(false);
                return "it is still there";
            },
            TimeSpan.FromSeconds(30),
            null,
            cancellation).ConfigureAwait(false);
    }

    private async Task<string> LeaveLoadBalancerAsync(StepContext context, CancellationToken cancellation)
    {
        var balancer = cluster.Machines.LoadBalancer!;
        var name = machine.HostName;
        await BackendStatus.TellAsync(cluster, balancer, $"set server {BackendStatus.Backend}/{name} state maint", cancellation).ConfigureAwait(false);
        await context.WaitAsync(
            $"HAProxy to leave {machine} out",
            async token => (await BackendStatus.ReadAsync(cluster, balancer, token).ConfigureAwait(false)).FirstOrDefault(b => b.Name == name) is { } backend && !backend.Status.StartsWith("MAINT", StringComparison.Ordinal)
                ? $"it is {backend.Status}" : null,
            TimeSpan.FromSeconds(20),
            null,
            cancellation).ConfigureAwait(false);
        return $"{machine} is in maintenance";
    }

    private async Task<string> StopAsync(StepContext context, CancellationToken cancellation)
    {
        await cluster.SshTo(machine).RunAsync(
            "leave", "for u in kube-scheduler kube-controller-manager kube-apiserver; do systemctl disable --quiet --now $u 2>/dev/null || true; done", cancellation).ConfigureAwait(false);
        using var api = new ApiConnection(cluster);
        return await context.WaitAsync(
            $"{machine.Address} to leave the Service kubernetes",
            async token =>
            {
                var endpoints = await api.GetAsync("/api/v1/namespaces/default/endpoints/kubernetes", token).ConfigureAwait(false);
                var addresses = (endpoints?["subsets"] as JsonArray ?? []).SelectMany(s => s?["addresses"] as JsonArray ?? []).Select(a => (string?)a?["ip"]).ToList();
                return addresses.Contains(machine.Address.ToString()) ? $"its endpoints are {string.Join(", ", addresses)}" : null;
            },
            TimeSpan.FromSeconds(60),
            null,
            cancellation).ConfigureAwait(false);
    }

    private async Task<string> LeaveEtcdAsync(StepContext context, CancellationToken cancellation)
    {
        await EtcdMembership.RemoveAsync(cluster, machine, reachable: false, cancellation).ConfigureAwait(false);
        EtcdStatus? status = null;
        await context.WaitAsync(
            "etcd to go on without it",
            async token =>
            {
                status = await EtcdStatus.ReadAsync(cluster, token).ConfigureAwait(false);
                return status.Members.Values.Contains(machine.HostName) ? "it is still a member" : status.Leader is null ? "there is no leader" : null;
            },
            TimeSpan.FromSeconds(30),
            null,
            cancellation).ConfigureAwait(false);
        return $"{status!.Members.Count} members: {string.Join(", ", status.Members.Values.Order())}; {status.Leader!.Machine} leads";
    }

    /// <summary>
    /// What the machines that stay, and this computer, still know of it: routes to its Pod subnet, its certificates and kubeconfig, its host key. Another machine of its name or
    /// address is somebody new.
    /// </summary>
    public static async Task ForgetAsync(ClusterModel rest, Machine machine, CancellationToken cancellation)
    {
        if (machine.PodSubnet is { } subnet)
        {
            await Task.WhenAll(rest.Machines.Machines.Select(m => rest.SshTo(m).RunAsync(
                "leave", $"ip -4 route delete {subnet} via {machine.Address} 2>/dev/null || true", cancellation))).ConfigureAwait(false);
        }

        foreach (var name in (string[])[machine.HostName, $"etcd-{machine.HostName}"])
        {
            File.Delete(rest.Files.Certificate(name));
            File.Delete(rest.Files.Key(name));
        }

        File.Delete(rest.Files.Kubeconfig(machine.HostName));
        rest.EtcdBootstrap.Forget(machine.HostName);
        if (File.Exists(rest.SshPaths.KnownHosts))
        {
            await LocalProcess.RunAsync("ssh-keygen", ["-R", machine.Address.ToString(), "-f", rest.SshPaths.KnownHosts], null, TimeSpan.FromSeconds(10), cancellation).ConfigureAwait(false);
            File.Delete(rest.SshPaths.KnownHosts + ".old");
        }
    }
}
