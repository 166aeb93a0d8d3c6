using Hardway.Hosting;
using Hardway.Provisioning.Api;
using Hardway.Provisioning.ControlPlane;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Verification;

/// <summary>Module 2: etcd's members and leader, the API servers directly and through the load balancer, and who holds the Leases.</summary>
internal sealed class HighAvailabilityVerification(ClusterModel cluster, ApiConnection api, VerificationRun run)
{
    private readonly TimeProvider _time = cluster.Options.Time;

    public Task RunAsync()
    {
        var servers = cluster.Machines.Servers.Count;
        return Task.WhenAll(
        [
            run.LookAsync(Module.HighAvailability, "etcd members", $"{servers} members that know each other, with one leader", EtcdAsync),
            .. cluster.Machines.Servers.Select(s => run.LookAsync(Module.HighAvailability, $"API server {s.HostName}", "/readyz is ok, asked directly", t => ReadyAsync(s, t))),
            run.LookAsync(Module.HighAvailability, "API through " + cluster.Machines.Endpoint.HostName, "/readyz is ok, asked as clients do", t => ReadyAsync(cluster.Machines.Endpoint, t)),
            .. ((string[])["kube-controller-manager", "kube-scheduler"]).Select(name =>
                run.LookAsync(Module.HighAvailability, $"Lease {name}", "one holder, which renewed it within its duration", t => LeaseAsync(name, t))),
        ]);
    }

    private async Task<Sight> EtcdAsync(CancellationToken cancellation)
    {
        var status = await EtcdStatus.ReadAsync(cluster, cancellation).ConfigureAwait(false);
        var leaders = status.Statuses.Select(s => s.Problem ?? (status.Members.GetValueOrDefault(s.Leader) ?? "none")).Distinct().ToList();
        var whole = status.Members.Count == cluster.Machines.Servers.Count && status.Learners.Count == 0 && leaders.Count == 1 && status.Leader is not null;
        return whole
            ? new Sight($"{status.Members.Count} members, leader {leaders[0]}, term {status.Leader!.Term}", status.Table())
            : throw new ComponentException($"{status.Members.Count} members ({string.Join(", ", status.Members.Values)}); leaders seen: {string.Join(", ", leaders)}"
                + (status.Learners.Count > 0 ? $"; still learning: {string.Join(", ", status.Learners)}" : ""));
    }

    /// <summary>Asked again for a while: what was started again a moment ago may miss a beat on a busy machine, and one that is ill does not get well by asking.</summary>
    private async Task<Sight> ReadyAsync(Machine machine, CancellationToken cancellation)
    {
        await new StepContext(_ => { }, _time).WaitAsync(
            $"/readyz at {machine}", token => ApiProbe.ReadyAsync(cluster, machine, token), TimeSpan.FromSeconds(10), null, cancellation).ConfigureAwait(false);
        return $"https://{machine.Address}:{ClusterAddresses.ApiPort}/readyz: ok, its certificate is {cluster.EndpointName}'s";
    }

    private async Task<Sight> LeaseAsync(string name, CancellationToken cancellation)
    {
        LeaseState? lease = null;
        await new StepContext(_ => { }, _time).WaitAsync(
            $"a holder of the Lease {name}",
            async token =>
            {
                lease = await LeaseState.ReadAsync(api, name, token).ConfigureAwait(false);
                return lease is null ? "nobody holds it"
                    : lease.Left(_time.GetUtcNow()) >= TimeSpan.Zero ? null
                    : $"held by {lease.Holder}, last renewed {lease.Age(_time.GetUtcNow()).TotalSeconds:0.0} s ago, longer than its {lease.Duration.TotalSeconds:0} s";
            },
            TimeSpan.FromSeconds(20),
            null,
            cancellation).ConfigureAwait(false);
        var now = _time.GetUtcNow();
        return $"held by {lease!.Holder}, renewed {lease.Age(now).TotalSeconds:0.0} s ago, {lease.Left(now).TotalSeconds:0.0} s of {lease.Duration.TotalSeconds:0} left, changed hands {lease.Transitions} times";
    }
}
