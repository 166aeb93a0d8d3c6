using System.Net;
using System.Net.Sockets;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;

namespace Hardway.Proxy.Model;

/// <summary>A Service with its EndpointSlices, compiled to its ports in both address families. Pure. What is malformed is left out: the API checked it.</summary>
internal static class ServiceCompiler
{
    private static readonly TimeSpan s_defaultAffinity = TimeSpan.FromHours(3);

    public static List<ServicePort> Compile(Service service, IReadOnlyList<EndpointSlice> slices, NodeFacts node)
    {
        var ports = new List<ServicePort>();
        var spec = service.Spec;
        if (spec.Type == "ExternalName" || spec.ClusterIP is "" or "None")
        {
            return ports;
        }

        List<string> addresses = spec.ClusterIPs is { Count: > 0 } all ? all : [spec.ClusterIP];
        foreach (var text in addresses)
        {
            if (IPAddress.TryParse(text, out var clusterIP))
            {
                foreach (var port in spec.Ports ?? [])
                {
                    ports.Add(Port(service, port, clusterIP, slices, node));
                }
            }
        }

        return ports;
    }

    private static ServicePort Port(Service service, Api.Core.V1.ServicePort port, IPAddress clusterIP, IReadOnlyList<EndpointSlice> slices, NodeFacts node)
    {
        var spec = service.Spec;
        var family = clusterIP.AddressFamily;
        var exposed = spec.Type is "NodePort" or "LoadBalancer";
        var (cluster, local) = EndpointSelection.Select(Candidates(slices, port, family), node);
        return new ServicePort
        {
            Name = new(service.Metadata.Namespace, service.Metadata.Name, port.Name),
            Protocol = Protocol(port.Protocol),
            Port = port.Port,
            ClusterIP = clusterIP,
            NodePort = exposed ? port.NodePort : 0,
            ExternalIPs = Addresses(spec.ExternalIPs, family),
            LoadBalancerIPs = spec.Type == "LoadBalancer" ? LoadBalancers(service, family) : [],
            SourceRanges = Ranges(service, family),
            Affinity = spec.SessionAffinity == "ClientIP"
                ? spec.SessionAffinityConfig?.ClientIP?.TimeoutSeconds is { } seconds and > 0 ? TimeSpan.FromSeconds(seconds) : s_defaultAffinity
                : null,
            InternalLocal = spec.InternalTrafficPolicy == "Local",
            ExternalLocal = spec.ExternalTrafficPolicy == "Local",
            HealthCheckNodePort = spec.HealthCheckNodePort,
            ClusterEndpoints = cluster,
            LocalEndpoints = local,
        };
    }

    private static L4Protocol Protocol(string protocol) => protocol switch
    {
        "UDP" => L4Protocol.Udp,
        "SCTP" => L4Protocol.Sctp,
        _ => L4Protocol.Tcp,
    };

    private static List<IPAddress> LoadBalancers(Service service, AddressFamily family) =>
        Addresses((service.Status.LoadBalancer.Ingress ?? []).Where(i => i.IpMode is null or "VIP").Select(i => i.Ip), family);

    private static List<IPAddress> Addresses(IEnumerable<string>? texts, AddressFamily family)
    {
        var found = new List<IPAddress>();
        foreach (var text in texts ?? [])
        {
            if (IPAddress.TryParse(text, out var address) && address.AddressFamily == family)
            {
                found.Add(address);
            }
        }

        return found;
    }

    private static List<IPNetwork> Ranges(Service service, AddressFamily family)
    {
        var found = new List<IPNetwork>();
        foreach (var text in service.Spec.LoadBalancerSourceRanges ?? [])
        {
            if (IPNetwork.TryParse(text.Trim(), out var range) && range.BaseAddress.AddressFamily == family)
            {
                found.Add(range);
            }
        }

        return found.Exists(r => r.PrefixLength == 0) ? [] : found; // "everybody" is no restriction
    }

    private static IEnumerable<EndpointCandidate> Candidates(IReadOnlyList<EndpointSlice> slices, Api.Core.V1.ServicePort port, AddressFamily family)
    {
        var type = family == AddressFamily.InterNetworkV6 ? "IPv6" : "IPv4";
        var seen = new HashSet<(IPAddress, int)>();
        foreach (var slice in slices.Where(s => s.AddressType == type))
        {
            foreach (var slicePort in slice.Ports ?? [])
            {
                if ((slicePort.Name ?? "") != port.Name || slicePort.Port is not { } number || (slicePort.Protocol ?? "TCP") != (port.Protocol.Length == 0 ? "TCP" : port.Protocol))
                {
                    continue;
                }

                foreach (var endpoint in slice.Endpoints ?? [])
                {
                    if (endpoint.Addresses is [var text, ..] && IPAddress.TryParse(text, out var address) && seen.Add((address, number)))
                    {
                        yield return Candidate(endpoint, address, number);
                    }
                }
            }
        }
    }

    private static EndpointCandidate Candidate(Api.Discovery.V1.Endpoint endpoint, IPAddress address, int port)
    {
        var conditions = endpoint.Conditions;
        var ready = conditions.Ready ?? true;
        return new EndpointCandidate(address, port)
        {
            Ready = ready,
            ServingTerminating = (conditions.Serving ?? ready) && (conditions.Terminating ?? false),
            Node = endpoint.NodeName ?? "",
            ForZones = [.. (endpoint.Hints?.ForZones ?? []).Select(z => z.Name)],
            ForNodes = [.. (endpoint.Hints?.ForNodes ?? []).Select(n => n.Name)],
        };
    }
}
