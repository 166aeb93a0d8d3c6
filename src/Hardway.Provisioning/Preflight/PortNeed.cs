using System.Net;
using Hardway.Provisioning.Cluster;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Preflight;

/// <summary>Who needs to reach which port of whom, and what for. Without a peer it is this computer that needs it.</summary>
internal sealed record PortNeed(Machine? From, Machine To, int Port, string What)
{
    private const int _manager = 10257;
    private const int _scheduler = 10259;
    private const int _proxyHealth = 10256;

    public static IReadOnlyList<PortNeed> Of(MachineDatabase machines)
    {
        var needs = new List<PortNeed>();
        foreach (var server in machines.Servers)
        {
            if (machines.LoadBalancer is { } balancer)
            {
                needs.Add(new PortNeed(balancer, server, ClusterAddresses.ApiPort, "API server"));
            }

            foreach (var other in machines.Servers.Where(s => s != server))
            {
                needs.Add(new PortNeed(other, server, TlsEndpoints.Etcd, "etcd, for API servers"));
                needs.Add(new PortNeed(other, server, TlsEndpoints.EtcdPeer, "etcd, for its peers"));
            }

            (int Port, string What)[] asked = [(ClusterAddresses.ApiPort, "API server"), (TlsEndpoints.Etcd, "etcd"), (_manager, "controller manager's health"), (_scheduler, "scheduler's health")];
            needs.AddRange(asked.Select(p => new PortNeed(null, server, p.Port, p.What)));
        }

        foreach (var node in machines.Nodes)
        {
            needs.Add(new PortNeed(node, machines.Endpoint, ClusterAddresses.ApiPort, "API"));
            needs.AddRange(machines.Servers.Select(s => new PortNeed(s, node, TlsEndpoints.Kubelet, "kubelet, for logs and exec")));
            needs.Add(new PortNeed(null, node, _proxyHealth, "kube-proxy's health"));
        }

        needs.Add(new PortNeed(null, machines.Endpoint, ClusterAddresses.ApiPort, "API"));
        return [.. needs.Distinct()];
    }

    /// <summary>The ports of a machine that somebody needs.</summary>
    public static IReadOnlyList<int> PortsOf(IEnumerable<PortNeed> needs, Machine machine) => [.. needs.Where(n => n.To == machine).Select(n => n.Port).Distinct().Order()];

    /// <summary>Whose port it is on a machine of that role. A program's own name does not always tell: runtimes name their threads.</summary>
    public static string UnitOf(MachineRole role, int port) => port switch
    {
        ClusterAddresses.ApiPort => role == MachineRole.LoadBalancer ? "haproxy" : "kube-apiserver",
        TlsEndpoints.Etcd or TlsEndpoints.EtcdPeer => "etcd",
        TlsEndpoints.Kubelet => "kubelet",
        _manager => "kube-controller-manager",
        _scheduler => "kube-scheduler",
        _proxyHealth => "kube-proxy",
        _ => "",
    };

    public string Key => $"{To.Address} {Port}";

    public IPEndPoint Address => new(To.Address, Port);
}
