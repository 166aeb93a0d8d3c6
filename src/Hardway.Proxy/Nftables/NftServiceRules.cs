using System.Text;
using Hardway.Proxy.Model;

namespace Hardway.Proxy.Nftables;

/// <summary>
/// The chains, sets and map elements of one Service port. Pure.
/// <code>
///   service-X   traffic to the cluster IP: mark what is not local, keep affinity, pick one endpoint
///   external-X  traffic from outside (node port, external IP, load balancer): policy Cluster marks and goes on to service-X,
///               policy Local picks among this node's endpoints and keeps the source address
///   firewall-X  drops sources outside loadBalancerSourceRanges
///   endpoint-Y  marks hairpin traffic, remembers affinity, translates the destination
/// </code>
/// </summary>
internal static class NftServiceRules
{
    private const int MaxComment = 120;

    public static NftFragment Build(ServicePort port, NftOptions options)
    {
        var chains = new List<NftChain>();
        var sets = new List<NftSet>();
        var elements = new List<NftElement>();
        var internalEndpoints = port.InternalLocal ? port.LocalEndpoints : port.ClusterEndpoints;
        var externalEndpoints = port.ExternalLocal ? port.LocalEndpoints : port.ClusterEndpoints;

        // External traffic by policy Cluster, and Pods' own traffic to external addresses, use the same choice as policy Cluster inside.
        var serviceChain = NftNames.Service(port);
        if (internalEndpoints.Count > 0)
        {
            chains.Add(new(serviceChain, [.. ServiceRules(port, internalEndpoints, options)]));
        }

        if (port.IsExternal && (externalEndpoints.Count > 0 || (port.ExternalLocal && port.ClusterEndpoints.Count > 0)))
        {
            chains.Add(new(NftNames.External(port), [.. ExternalRules(port, externalEndpoints, internalEndpoints, options)]));
        }

        if (port.SourceRanges.Count > 0 && port.LoadBalancerIPs.Count > 0)
        {
            chains.Add(new(NftNames.Firewall(port), [FirewallRule(port, options)]));
        }

        foreach (var endpoint in internalEndpoints.Union(port.IsExternal ? externalEndpoints.Union(port.ClusterEndpoints) : []))
        {
            AddEndpoint(port, endpoint, options, chains, sets);
        }

        AddElements(port, internalEndpoints, externalEndpoints, options, elements);
        var comment = port.Name.ToString();
        return new NftFragment
        {
            Comment = comment.Length <= MaxComment ? comment : comment[..MaxComment],
            Chains = chains,
            Sets = sets,
            Elements = elements,
        };
    }

    private static IEnumerable<string> ServiceRules(ServicePort port, IReadOnlyList<Endpoint> endpoints, NftOptions options)
    {
        var match = $"{options.Family.Ip} daddr {port.ClusterIP} {port.ProtocolName} dport {port.Port}";
        if (options.MasqueradeAll)
        {
            yield return $"{match} jump {NftBase.MarkForMasquerade}";
        }
        else if (options.IfNotLocal is { } notLocal)
        {
            yield return $"{match} {notLocal} jump {NftBase.MarkForMasquerade}";
        }

        foreach (var rule in Pick(port, endpoints, options))
        {
            yield return rule;
        }
    }

    private static IEnumerable<string> ExternalRules(
        ServicePort port, IReadOnlyList<Endpoint> external, IReadOnlyList<Endpoint> @internal, NftOptions options)
    {
        // Without policy Local the node may send the packet on to another node: the reply must come back through here.
        if (!port.ExternalLocal)
        {
            yield return $"jump {NftBase.MarkForMasquerade}";
            if (ReferenceEquals(external, @internal))
            {
                yield return $"goto {NftNames.Service(port)}";
                yield break;
            }
        }
        else if (port.ClusterEndpoints.Count > 0)
        {
            // Pods and the node itself reach every endpoint through external addresses as well.
            var all = Choice(port, port.ClusterEndpoints);
            if (options.IfLocal is { } local)
            {
                yield return $"{local} {all}";
            }

            yield return $"fib saddr type local jump {NftBase.MarkForMasquerade}";
            yield return $"fib saddr type local {all}";
        }

        foreach (var rule in Pick(port, external, options))
        {
            yield return rule;
        }
    }

    /// <summary>Affinity first, then one of the endpoints with equal chance.</summary>
    private static IEnumerable<string> Pick(ServicePort port, IReadOnlyList<Endpoint> endpoints, NftOptions options)
    {
        if (port.Affinity is not null)
        {
            foreach (var endpoint in endpoints)
            {
                yield return $"{options.Family.Ip} saddr @{NftNames.Affinity(port, endpoint)} goto {NftNames.Endpoint(port, endpoint)}";
            }
        }

        if (endpoints.Count > 0)
        {
            yield return Choice(port, endpoints);
        }
    }

    private static string Choice(ServicePort port, IReadOnlyList<Endpoint> endpoints)
    {
        var choice = new StringBuilder("numgen random mod ").Append(endpoints.Count).Append(" vmap { ");
        for (var i = 0; i < endpoints.Count; i++)
        {
            choice.Append(i == 0 ? "" : ", ").Append(i).Append(" : goto ").Append(NftNames.Endpoint(port, endpoints[i]));
        }

        return choice.Append(" }").ToString();
    }

    private static string FirewallRule(ServicePort port, NftOptions options)
    {
        var sources = port.SourceRanges.Select(r => r.ToString()).ToList();
        sources.AddRange(port.LoadBalancerIPs.Select(a => a.ToString()));
        return $"{options.Family.Ip} saddr != {{ {string.Join(", ", sources)} }} drop";
    }

    private static void AddEndpoint(ServicePort port, Endpoint endpoint, NftOptions options, List<NftChain> chains, List<NftSet> sets)
    {
        var ip = options.Family.Ip;
        var rules = new List<string> { $"{ip} saddr {endpoint.Address} jump {NftBase.MarkForMasquerade}" };
        if (port.Affinity is { } timeout)
        {
            var set = NftNames.Affinity(port, endpoint);
            sets.Add(new(set, $"type {options.Family.AddressType}; flags dynamic,timeout; timeout {(long)timeout.TotalSeconds}s;"));
            rules.Add($"update @{set} {{ {ip} saddr }}");
        }

        var target = options.Family == NftFamily.V6 ? $"[{endpoint.Address}]:{endpoint.Port}" : $"{endpoint.Address}:{endpoint.Port}";
        rules.Add($"meta l4proto {port.ProtocolName} dnat to {target}");
        chains.Add(new(NftNames.Endpoint(port, endpoint), rules));
    }

    private static void AddElements(
        ServicePort port, IReadOnlyList<Endpoint> @internal, IReadOnlyList<Endpoint> external, NftOptions options, List<NftElement> elements)
    {
        elements.Add(new(NftBase.ClusterIPs, port.ClusterIP.ToString(), ""));
        var refusal = port.HasEndpoints ? "drop" : $"goto {NftBase.RejectChain}";
        elements.Add(@internal.Count > 0
            ? new(NftBase.ServiceIPs, Key(port.ClusterIP, port), $"goto {NftNames.Service(port)}")
            : new(NftBase.NoEndpointServices, Key(port.ClusterIP, port), refusal));

        var chain = $"goto {NftNames.External(port)}";
        var reachable = external.Count > 0 || (port.ExternalLocal && port.ClusterEndpoints.Count > 0);
        foreach (var address in port.ExternalIPs.Concat(port.LoadBalancerIPs).Distinct())
        {
            if (reachable)
            {
                elements.Add(new(NftBase.ServiceIPs, Key(address, port), chain));
            }

            if (external.Count == 0)
            {
                elements.Add(new(NftBase.NoEndpointServices, Key(address, port), refusal));
            }
        }

        if (port.NodePort != 0)
        {
            var key = $"{port.ProtocolName} . {port.NodePort}";
            if (reachable)
            {
                elements.Add(new(NftBase.ServiceNodePorts, key, chain));
            }

            if (external.Count == 0)
            {
                elements.Add(new(NftBase.NoEndpointNodePorts, key, refusal));
            }
        }

        if (port.SourceRanges.Count > 0)
        {
            elements.AddRange(port.LoadBalancerIPs.Select(a => new NftElement(NftBase.FirewallIPs, Key(a, port), $"goto {NftNames.Firewall(port)}")));
        }
    }

    private static string Key(System.Net.IPAddress address, ServicePort port) => $"{address} . {port.ProtocolName} . {port.Port}";
}
