using Hardway.Hosting;
using Hardway.Provisioning.Api;
using Hardway.Provisioning.ControlPlane;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Drills;

/// <summary>Which machine a component is on now: leaders are where they are, not where they were.</summary>
internal sealed class DrillTarget(ClusterModel cluster, ApiConnection api)
{
    public async Task<Machine> FindAsync(DrillComponent component, CancellationToken cancellation)
    {
        if (component.Lease is { } lease)
        {
            var held = await LeaseState.ReadAsync(api, lease, cancellation).ConfigureAwait(false) ?? throw new ComponentException($"nobody holds the Lease {lease}");
            return cluster.Machines.Find(held.Machine) ?? throw new ComponentException($"the Lease {lease} is held by {held.Holder}, which is no machine of this cluster");
        }

        return component.Name switch
        {
            "load-balancer" => cluster.Machines.LoadBalancer!,
            "etcd-leader" or "server" => (await EtcdAsync(cancellation).ConfigureAwait(false)).Leader?.Machine ?? throw new ComponentException("etcd has no leader"),
            "etcd-follower" => (await EtcdAsync(cancellation).ConfigureAwait(false)).Statuses.First(s => !s.IsLeader).Machine,
            "api-server" => await BusiestAsync(cancellation).ConfigureAwait(false),
            _ => cluster.Machines.Nodes[^1],
        };
    }

    private Task<EtcdStatus> EtcdAsync(CancellationToken cancellation) => EtcdStatus.ReadAsync(cluster, cancellation);

    private async Task<Machine> BusiestAsync(CancellationToken cancellation)
    {
        if (cluster.Machines.LoadBalancer is not { } balancer)
        {
            return cluster.Machines.Servers[0];
        }

        var backends = await BackendStatus.ReadAsync(cluster, balancer, cancellation).ConfigureAwait(false);
        return cluster.Machines.Find(backends.OrderByDescending(b => b.Sessions).First().Name) ?? cluster.Machines.Servers[0];
    }
}
