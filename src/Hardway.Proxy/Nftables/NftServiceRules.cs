using Hardway.Proxy.Model;

namespace Hardway.Proxy.Nftables;

/// <summary>
/// What one Service port contributes to a table. Pure. Without session affinity that is only elements of shared maps, so that ten thousand Services are as
/// many rules as one, and a change costs what changed:
/// <code>
///   service-ips                 address . protocol . port            : goto pick-N            N endpoints
///   endpoints                   address . protocol . port . 0..N-1   : endpoint . port        the one that chance names is taken
///   (external addresses         the same by external-pick-N, node ports by nodeport-pick-N: marked for masquerade first)
/// </code>
/// Chains of its own has a port with affinity or external policy Local, and one with source ranges:
/// <code>
///   service-X   keeps affinity, picks one endpoint-Y
///   external-X  traffic from outside (node port, external IP, load balancer): policy Cluster marks and goes on to service-X,
///               policy Local picks among this node's endpoints and keeps the source address
///   firewall-X  drops sources outside loadBalancerSourceRanges
///   endpoint-Y  remembers affinity, translates the destination
/// </code>
/// </summary>
internal static class NftServiceRules
{
    private const int MaxComment = 120;

    public static NftFragment Build(ServicePort port, NftOptions options)
    {
        var parts = new Parts(port, options);
        parts.AddInternal();
        parts.AddExternal();
        parts.AddFirewall();
        parts.AddHairpins();
        var comment = port.Name.ToString();
        return new NftFragment
        {
            Comment = comment.Length <= MaxComment ? comment : comment[..MaxComment],
            Chains = parts.Chains,
            Sets = parts.Sets,
            Elements = parts.Elements,
            Picks = [.. parts.Picks],
        };
    }

    private sealed class Parts(ServicePort port, NftOptions options)
    {
        private readonly IReadOnlyList<Endpoint> _internal = port.InternalLocal ? port.LocalEndpoints : port.ClusterEndpoints;
        private readonly IReadOnlyList<Endpoint> _external = port.ExternalLocal ? port.LocalEndpoints : port.ClusterEndpoints;
        private readonly string _refusal = port.HasEndpoints ? "drop" : $"goto {NftBase.RejectChain}";
        private readonly string _ip = options.Family.Ip;

        public List<NftChain> Chains { get; } = [];

        public List<NftSet> Sets { get; } = [];

        public List<NftElement> Elements { get; } = [];

        public HashSet<NftPick> Picks { get; } = [];

        private bool HasAffinity => port.Affinity is not null;

        /// <summary>Traffic to the cluster IP.</summary>
        public void AddInternal()
        {
            Elements.Add(new(NftBase.ClusterIPs, port.ClusterIP.ToString(), ""));
            var key = Key(port.ClusterIP);
            if (_internal.Count == 0)
            {
                Elements.Add(new(NftBase.NoEndpointServices, key, _refusal));
            }
            else if (HasAffinity)
            {
                Chains.Add(new(NftNames.Service(port), [.. Pick(_internal)]));
                Elements.Add(new(NftBase.ServiceIPs, key, $"goto {NftNames.Service(port)}"));
                AddEndpoints(_internal);
            }
            else
            {
                AddPicked(NftPickKind.Internal, NftBase.ServiceIPs, key, NftBase.Endpoints, _internal);
            }
        }

        /// <summary>Traffic to external addresses and the node port.</summary>
        public void AddExternal()
        {
            var own = HasAffinity || port.ExternalLocal;
            var reachable = _external.Count > 0 || (port.ExternalLocal && port.ClusterEndpoints.Count > 0);
            if (port.IsExternal && own && reachable)
            {
                Chains.Add(new(NftNames.External(port), [.. ExternalRules()]));
                AddEndpoints(_external.Union(port.ClusterEndpoints));
            }

            var chain = $"goto {NftNames.External(port)}";
            foreach (var key in port.ExternalIPs.Concat(port.LoadBalancerIPs).Distinct().Select(Key))
            {
                if (own && reachable)
                {
                    Elements.Add(new(NftBase.ServiceIPs, key, chain));
                }
                else if (_external.Count > 0)
                {
                    AddPicked(NftPickKind.External, NftBase.ServiceIPs, key, NftBase.Endpoints, _external);
                }

                if (_external.Count == 0)
                {
                    Elements.Add(new(NftBase.NoEndpointServices, key, _refusal));
                }
            }

            if (port.NodePort == 0)
            {
                return;
            }

            var number = $"{port.ProtocolName} . {port.NodePort}";
            if (own && reachable)
            {
                Elements.Add(new(NftBase.ServiceNodePorts, number, chain));
            }
            else if (_external.Count > 0)
            {
                AddPicked(NftPickKind.NodePort, NftBase.ServiceNodePorts, number, NftBase.NodePortEndpoints, _external);
            }

            if (_external.Count == 0)
            {
                Elements.Add(new(NftBase.NoEndpointNodePorts, number, _refusal));
            }
        }

        public void AddFirewall()
        {
            if (port.SourceRanges.Count == 0 || port.LoadBalancerIPs.Count == 0)
            {
                return;
            }

            var sources = port.SourceRanges.Select(r => r.ToString()).Concat(port.LoadBalancerIPs.Select(a => a.ToString()));
            Chains.Add(new(NftNames.Firewall(port), [$"{_ip} saddr != {{ {string.Join(", ", sources)} }} drop"]));
            Elements.AddRange(port.LoadBalancerIPs.Select(a => new NftElement(NftBase.FirewallIPs, Key(a), $"goto {NftNames.Firewall(port)}")));
        }

        /// <summary>An endpoint of this node that reaches itself through the Service must see another source, or it would answer itself past us.</summary>
        public void AddHairpins()
        {
            var endpoints = port.IsExternal ? _internal.Union(_external).Union(port.ClusterEndpoints) : _internal;
            foreach (var address in endpoints.Where(e => e.MayBeHere).Select(e => e.Address).Distinct())
            {
                Elements.Add(new(NftBase.Hairpins, $"{address} . {address}", ""));
            }
        }

        private void AddPicked(NftPickKind kind, string services, string key, string map, IReadOnlyList<Endpoint> endpoints)
        {
            var pick = new NftPick(kind, endpoints.Count);
            Picks.Add(pick);
            Elements.Add(new(services, key, $"goto {pick.Chain}"));
            for (var i = 0; i < endpoints.Count; i++)
            {
                Elements.Add(new(map, $"{key} . {i}", $"{endpoints[i].Address} . {endpoints[i].Port}"));
            }
        }

        private IEnumerable<string> ExternalRules()
        {
            // Without policy Local the node may send the packet on to another node: the reply must come back through here.
            if (!port.ExternalLocal)
            {
                yield return $"jump {NftBase.MarkForMasquerade}";
            }
            else if (port.ClusterEndpoints.Count > 0)
            {
                // Pods and the node itself reach every endpoint through external addresses as well.
                var all = Choice(port.ClusterEndpoints);
                if (options.IfLocal is { } local)
                {
                    yield return $"{local} {all}";
                }

                yield return $"fib saddr type local jump {NftBase.MarkForMasquerade}";
                yield return $"fib saddr type local {all}";
            }

            foreach (var rule in Pick(_external))
            {
                yield return rule;
            }
        }

        /// <summary>Affinity first, then one of the endpoints with equal chance.</summary>
        private IEnumerable<string> Pick(IReadOnlyList<Endpoint> endpoints)
        {
            if (HasAffinity)
            {
                foreach (var endpoint in endpoints)
                {
                    yield return $"{_ip} saddr @{NftNames.Affinity(port, endpoint)} goto {NftNames.Endpoint(port, endpoint)}";
                }
            }

            if (endpoints.Count > 0)
            {
                yield return Choice(endpoints);
            }
        }

        private string Choice(IReadOnlyList<Endpoint> endpoints)
        {
            if (HasAffinity)
            {
                return $"numgen random mod {endpoints.Count} vmap {{ {Numbered(endpoints, e => $"goto {NftNames.Endpoint(port, e)}")} }}";
            }

            return endpoints.Count == 1
                ? $"meta l4proto {port.ProtocolName} dnat to {Target(endpoints[0])}"
                : $"meta l4proto {port.ProtocolName} dnat {_ip} to numgen random mod {endpoints.Count} map {{ {Numbered(endpoints, e => $"{e.Address} . {e.Port}")} }}";
        }

        private static string Numbered(IReadOnlyList<Endpoint> endpoints, Func<Endpoint, string> value) => string.Join(", ", endpoints.Select((e, i) => $"{i} : {value(e)}"));

        /// <summary>Their chains, with affinity.</summary>
        private void AddEndpoints(IEnumerable<Endpoint> endpoints)
        {
            if (port.Affinity is not { } timeout)
            {
                return;
            }

            foreach (var endpoint in endpoints)
            {
                var (chain, set) = (NftNames.Endpoint(port, endpoint), NftNames.Affinity(port, endpoint));
                if (!Chains.Exists(c => c.Name == chain))
                {
                    Sets.Add(new(set, $"type {options.Family.AddressType}; flags dynamic,timeout; timeout {(long)timeout.TotalSeconds}s;"));
                    Chains.Add(new(chain, [$"update @{set} {{ {_ip} saddr }}", $"meta l4proto {port.ProtocolName} dnat to {Target(endpoint)}"]));
                }
            }
        }

        private string Target(Endpoint endpoint) => options.Family == NftFamily.V6 ? $"[{endpoint.Address}]:{endpoint.Port}" : $"{endpoint.Address}:{endpoint.Port}";

        private string Key(System.Net.IPAddress address) => $"{address} . {port.ProtocolName} . {port.Port}";
    }
}
