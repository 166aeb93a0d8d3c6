using System.Net;
using Hardway.Proxy.Model;

namespace Hardway.Proxy.Conntrack;

/// <summary>
/// Finds UDP flows to a Service whose translation no rule would choose any more: the kernel applies nat rules to a flow's first packet only,
/// and a UDP client that goes on sending keeps its flow alive for ever. Pure.
/// </summary>
internal static class StaleFlows
{
    public static List<ConntrackFlow> Find(IEnumerable<ConntrackFlow> flows, IEnumerable<ServicePort> ports, IReadOnlySet<IPAddress> nodeAddresses)
    {
        var frontends = new Dictionary<IPEndPoint, HashSet<IPEndPoint>>();
        var nodePorts = new Dictionary<int, HashSet<IPEndPoint>>();
        foreach (var port in ports.Where(p => p.Protocol == L4Protocol.Udp))
        {
            var backends = port.ClusterEndpoints.Concat(port.LocalEndpoints).Select(e => new IPEndPoint(e.Address, e.Port)).ToHashSet();
            foreach (var address in port.ExternalIPs.Concat(port.LoadBalancerIPs).Append(port.ClusterIP))
            {
                frontends[new IPEndPoint(address, port.Port)] = backends;
            }

            if (port.NodePort != 0)
            {
                nodePorts[port.NodePort] = backends;
            }
        }

        return [.. flows.Where(flow => Backends(flow)?.Contains(flow.ReplySource) == false)];

        HashSet<IPEndPoint>? Backends(ConntrackFlow flow) =>
            frontends.GetValueOrDefault(flow.Destination)
            ?? (nodeAddresses.Contains(flow.Destination.Address) ? nodePorts.GetValueOrDefault(flow.Destination.Port) : null);
    }
}
