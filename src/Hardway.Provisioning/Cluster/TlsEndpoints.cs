using System.Net;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Cluster;

/// <summary>A TLS server of the cluster, and what it must show: by whom, whose, for which names.</summary>
internal sealed record TlsEndpoint(string Title, Machine Machine, int Port, ClusterCertificate Certificate);

/// <summary>The servers that show certificates of the cluster's authorities. (Controller managers and schedulers serve under one that they make themselves.)</summary>
internal static class TlsEndpoints
{
    public const int Etcd = 2379;
    public const int EtcdPeer = 2380;
    public const int Kubelet = 10250;

    public static IEnumerable<TlsEndpoint> Of(MachineDatabase machines)
    {
        var certificates = ClusterCertificates.Of(machines).ToDictionary(c => c.Name);
        foreach (var server in machines.Servers)
        {
            yield return new TlsEndpoint($"API server {server}", server, ClusterAddresses.ApiPort, certificates["kube-api-server"]);
            yield return new TlsEndpoint($"etcd {server}", server, Etcd, certificates[$"etcd-{server.HostName}"]);
            yield return new TlsEndpoint($"etcd peer {server}", server, EtcdPeer, certificates[$"etcd-{server.HostName}"]);
        }

        if (machines.LoadBalancer is { } balancer)
        {
            yield return new TlsEndpoint($"API through {balancer}", balancer, ClusterAddresses.ApiPort, certificates["kube-api-server"]);
        }

        foreach (var node in machines.Nodes)
        {
            yield return new TlsEndpoint($"kubelet {node}", node, Kubelet, certificates[node.HostName]);
        }
    }

    /// <summary>The client certificate without which etcd does not finish a handshake.</summary>
    public static (string Certificate, string Key)? ClientOf(ClusterFiles files, TlsEndpoint endpoint)
        => endpoint.Port is Etcd or EtcdPeer ? (files.Certificate("etcd-client"), files.Key("etcd-client")) : null;

    public static Task<Handshake> ShakeAsync(ClusterModel cluster, TlsEndpoint endpoint, CancellationToken cancellation)
        => Handshake.ShakeAsync(endpoint.Machine.Address, endpoint.Port, ClientOf(cluster.Files, endpoint), cancellation);
}
