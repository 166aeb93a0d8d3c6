using System.Globalization;
using System.Net;
using Hardway.Proxy.Model;

namespace Hardway.Proxy.Iptables;

/// <summary>
/// All chains of one family with their rules, in upstream's layout, so that upstream's kube-proxy and tools that read its rules find their way.
/// Pure. Keys are table and chain; rules have no "-A CHAIN" in front.
/// <code>
///  nat     PREROUTING, OUTPUT ─► KUBE-SERVICES ─► KUBE-SVC-x | KUBE-SVL-x (Local) ─► KUBE-SEP-y ─► DNAT
///                                      │    └──► KUBE-EXT-x ─► mark or local endpoints ─► KUBE-SVC-x | KUBE-SVL-x
///                                      └──► KUBE-NODEPORTS ─► KUBE-EXT-x
///          POSTROUTING ─► KUBE-POSTROUTING: masquerades what is marked
///  filter  KUBE-SERVICES, KUBE-EXTERNAL-SERVICES, KUBE-NODEPORTS refuse or drop; KUBE-FORWARD lets translated traffic pass
/// </code>
/// </summary>
internal static class IptablesRules
{
    public const string Services = "KUBE-SERVICES", NodePorts = "KUBE-NODEPORTS", Postrouting = "KUBE-POSTROUTING", MarkMasquerade = "KUBE-MARK-MASQ";
    public const string ExternalServices = "KUBE-EXTERNAL-SERVICES", Forward = "KUBE-FORWARD", ProxyFirewall = "KUBE-PROXY-FIREWALL", Firewall = "KUBE-FIREWALL";

    public static Dictionary<(string Table, string Chain), List<string>> Build(IEnumerable<ServicePort> ports, IptablesOptions options)
    {
        var rules = new Rules(options);
        rules.Fixed();
        foreach (var port in ports.OrderBy(p => p.Name.ToString(), StringComparer.Ordinal))
        {
            rules.Add(port);
        }

        rules.NodePortJumps();
        return rules.Chains;
    }

    private sealed class Rules(IptablesOptions options)
    {
        public Dictionary<(string Table, string Chain), List<string>> Chains { get; } = [];

        public void Fixed()
        {
            foreach (var chain in (string[])[Services, ExternalServices, NodePorts, Forward, Firewall])
            {
                Filter(chain);
            }

            Nat(Services);
            Nat(NodePorts);
            Nat(
                Postrouting,
                $"-m mark ! --mark {options.Mark} -j RETURN",
                $"-j MARK --xor-mark 0x{1 << options.MasqueradeBit:x}",
                "-m comment --comment \"kubernetes service traffic requiring SNAT\" -j MASQUERADE --random-fully");
            Nat(MarkMasquerade, $"-j MARK --or-mark 0x{1 << options.MasqueradeBit:x}");
            Filter(
                Forward,
                "-m conntrack --ctstate INVALID -j DROP",
                $"-m comment --comment \"kubernetes forwarding rules\" -m mark --mark {options.Mark} -j ACCEPT",
                "-m comment --comment \"kubernetes forwarding conntrack rule\" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT");
            if (options is { LocalhostNodePorts: true, IsV6: false })
            {
                // With route_localnet on, a neighbour could reach what listens on loopback only.
                Filter(Firewall, "-m comment --comment \"block incoming localnet connections\" -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP");
            }
        }

        public void NodePortJumps()
        {
            const string Comment = "-m comment --comment \"kubernetes service nodeports; NOTE: this must be the last rule in this chain\"";
            if (options.NodePortNetworks.Count > 0)
            {
                Nat(Services, [.. options.NodePortNetworks.Select(n => $"{Comment} -m addrtype --dst-type LOCAL -d {n} -j {NodePorts}")]);
                return;
            }

            var loopback = options is { LocalhostNodePorts: true, IsV6: false } ? "" : $" ! -d {options.Loopback}";
            Nat(Services, $"{Comment}{loopback} -m addrtype --dst-type LOCAL -j {NodePorts}");
        }

        public void Add(ServicePort port)
        {
            var usesCluster = port.ClusterEndpoints.Count > 0 && (!port.InternalLocal || port.IsExternal);
            var usesLocal = port.LocalEndpoints.Count > 0 && (port.InternalLocal || (port.ExternalLocal && port.IsExternal));
            if (usesCluster)
            {
                Choice(port, IptablesNames.Service(port), port.ClusterEndpoints);
            }

            if (usesLocal)
            {
                Choice(port, IptablesNames.ServiceLocal(port), port.LocalEndpoints);
            }

            foreach (var endpoint in (usesCluster ? port.ClusterEndpoints : []).Union(usesLocal ? port.LocalEndpoints : []))
            {
                Endpoint(port, endpoint);
            }

            Internal(port);
            External(port);
        }

        private void Internal(ServicePort port)
        {
            var match = Match(port, port.ClusterIP, port.Port, "cluster IP");
            var endpoints = port.InternalLocal ? port.LocalEndpoints : port.ClusterEndpoints;
            if (endpoints.Count == 0)
            {
                Filter(Services, Refuse(port, port.ClusterIP));
                return;
            }

            var chain = port.InternalLocal ? IptablesNames.ServiceLocal(port) : IptablesNames.Service(port);
            Nat(Services, $"{match} -j {chain}");
            if (options.MasqueradeAll)
            {
                Chains[("nat", chain)].Insert(0, $"{match} -j {MarkMasquerade}");
            }
            else if (options.IfNotLocal is { } notLocal)
            {
                Chains[("nat", chain)].Insert(0, $"{match} {notLocal} -j {MarkMasquerade}");
            }
        }

        private void External(ServicePort port)
        {
            if (!port.IsExternal)
            {
                return;
            }

            var endpoints = port.ExternalLocal ? port.LocalEndpoints : port.ClusterEndpoints;
            var reachable = port.ClusterEndpoints.Count > 0 || endpoints.Count > 0;
            var chain = IptablesNames.External(port);
            if (reachable)
            {
                ExternalChain(port, chain, endpoints);
            }

            foreach (var address in port.ExternalIPs.Concat(port.LoadBalancerIPs).Distinct())
            {
                if (reachable)
                {
                    Nat(Services, $"{Match(port, address, port.Port, "loadbalancer or external IP")} -j {chain}");
                }

                if (endpoints.Count == 0)
                {
                    Filter(ExternalServices, Refuse(port, address));
                }
            }

            if (port.NodePort != 0)
            {
                NodePort(port, reachable ? chain : null, endpoints.Count == 0);
            }

            SourceRanges(port);
        }

        private void ExternalChain(ServicePort port, string chain, IReadOnlyList<Endpoint> endpoints)
        {
            if (!port.ExternalLocal)
            {
                Nat(chain, $"-m comment --comment \"masquerade traffic for {port.Name} external destinations\" -j {MarkMasquerade}", $"-j {IptablesNames.Service(port)}");
                return;
            }

            if (port.ClusterEndpoints.Count > 0)
            {
                if (options.IfLocal is { } local)
                {
                    Nat(chain, $"{local} -j {IptablesNames.Service(port)}");
                }

                Nat(chain, $"-m addrtype --src-type LOCAL -j {MarkMasquerade}", $"-m addrtype --src-type LOCAL -j {IptablesNames.Service(port)}");
            }

            if (endpoints.Count > 0)
            {
                Nat(chain, $"-j {IptablesNames.ServiceLocal(port)}");
            }
        }

        private void NodePort(ServicePort port, string? chain, bool refuse)
        {
            var match = $"-m comment --comment \"{port.Name}\" -p {port.ProtocolName} -m {port.ProtocolName} --dport {port.NodePort}";
            if (chain is not null)
            {
                Nat(NodePorts, $"{match} -j {chain}");
            }

            if (refuse)
            {
                Filter(ExternalServices, $"-m comment --comment \"{port.Name} has no {(port.HasEndpoints ? "local " : "")}endpoints\" -m addrtype --dst-type LOCAL -p {port.ProtocolName} -m {port.ProtocolName} --dport {port.NodePort} -j {Verdict(port)}");
            }

            if (port is { HealthCheckNodePort: > 0, ExternalLocal: true })
            {
                Filter(NodePorts, $"-m comment --comment \"{port.Name} health check node port\" -p tcp -m tcp --dport {port.HealthCheckNodePort} -j ACCEPT");
            }
        }

        /// <summary>In table raw, where the packet still has the load balancer's address. (Upstream drops after the translation, by the original one.)</summary>
        private void SourceRanges(ServicePort port)
        {
            if (port.SourceRanges.Count == 0)
            {
                return;
            }

            foreach (var address in port.LoadBalancerIPs)
            {
                var chain = IptablesNames.Firewall(port);
                Chains[("raw", chain)] = [.. port.SourceRanges.Select(r => $"-s {r} -j RETURN"), $"-s {address} -j RETURN", "-j DROP"];
                Add("raw", ProxyFirewall, $"{Match(port, address, port.Port, "traffic not accepted by its source ranges")} -j {chain}");
            }
        }

        private void Choice(ServicePort port, string chain, IReadOnlyList<Endpoint> endpoints)
        {
            Nat(chain);
            if (port.Affinity is { } affinity)
            {
                foreach (var endpoint in endpoints)
                {
                    var name = IptablesNames.Endpoint(port, endpoint);
                    Nat(chain, $"-m comment --comment \"{port.Name} -> {endpoint.Address}:{endpoint.Port}\" -m recent --name {name} --rcheck --seconds {(long)affinity.TotalSeconds} --reap -j {name}");
                }
            }

            for (var i = 0; i < endpoints.Count; i++)
            {
                var left = endpoints.Count - i;
                var chance = left == 1 ? "" : $" -m statistic --mode random --probability {(1.0 / left).ToString("F10", CultureInfo.InvariantCulture)}";
                Nat(chain, $"-m comment --comment \"{port.Name} -> {endpoints[i].Address}:{endpoints[i].Port}\"{chance} -j {IptablesNames.Endpoint(port, endpoints[i])}");
            }
        }

        private void Endpoint(ServicePort port, Endpoint endpoint)
        {
            var name = IptablesNames.Endpoint(port, endpoint);
            var comment = $"-m comment --comment \"{port.Name}\"";
            var affinity = port.Affinity is null ? "" : $" -m recent --name {name} --set";
            var target = options.IsV6 ? $"[{endpoint.Address}]:{endpoint.Port}" : $"{endpoint.Address}:{endpoint.Port}";
            Nat(
                name,
                $"{comment} -s {endpoint.Address} -j {MarkMasquerade}",
                $"{comment}{affinity} -p {port.ProtocolName} -m {port.ProtocolName} -j DNAT --to-destination {target}");
        }

        private static string Match(ServicePort port, IPAddress address, int number, string what) =>
            $"-m comment --comment \"{port.Name} {what}\" -d {address} -p {port.ProtocolName} -m {port.ProtocolName} --dport {number}";

        private static string Refuse(ServicePort port, IPAddress address) =>
            $"{Match(port, address, port.Port, $"has no {(port.HasEndpoints ? "local " : "")}endpoints")} -j {Verdict(port)}";

        private static string Verdict(ServicePort port) => port.HasEndpoints ? "DROP" : "REJECT";

        private void Nat(string chain, params ReadOnlySpan<string> rules) => Add("nat", chain, rules);

        private void Filter(string chain, params ReadOnlySpan<string> rules) => Add("filter", chain, rules);

        private void Add(string table, string chain, params ReadOnlySpan<string> rules)
        {
            if (!Chains.TryGetValue((table, chain), out var list))
            {
                Chains[(table, chain)] = list = [];
            }

            list.AddRange(rules);
        }
    }
}
