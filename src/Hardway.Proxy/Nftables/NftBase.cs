using System.Text;

namespace Hardway.Proxy.Nftables;

/// <summary>
/// The fixed part of the table: hooks, maps and the chains between them.
/// <code>
///  packet ─► nat-prerouting / nat-output ─► services ─► @service-ips        (address . protocol . port : chain)
///                                                   └─► @service-nodeports  (protocol . port : chain), on the node's addresses
///              pick-N: dnat to what @endpoints has for the packet and a number below N; external-pick-N, nodeport-pick-N mark for masquerade first
///              chains of their own for affinity and external policy Local (see NftServiceRules)
///  filter before nat: @firewall-ips drops what a load balancer's source ranges exclude
///  filter after nat : @no-endpoint-* refuse or drop what was not translated; known cluster IPs refuse other ports
///  nat-postrouting ─► masquerading: what was marked, or comes back to where it came from, leaves with this node's address
/// </code>
/// </summary>
internal static class NftBase
{
    public const string ServiceIPs = "service-ips";
    public const string ServiceNodePorts = "service-nodeports";
    public const string NoEndpointServices = "no-endpoint-services";
    public const string NoEndpointNodePorts = "no-endpoint-nodeports";
    public const string FirewallIPs = "firewall-ips";
    public const string ClusterIPs = "cluster-ips";
    public const string Endpoints = "endpoints";
    public const string NodePortEndpoints = "nodeport-endpoints";
    public const string Hairpins = "hairpins";
    public const string MarkForMasquerade = "mark-for-masquerade";
    public const string RejectChain = "reject-chain";

    /// <summary>A script that leaves the table with exactly this, whatever was there before; atomic when run as one transaction.</summary>
    public static string Recreate(NftOptions options)
    {
        var text = new StringBuilder();
        text.Append("add table ").Append(options.Family.TableRef).Append('\n');
        text.Append("delete table ").Append(options.Family.TableRef).Append('\n');
        text.Append("table ").Append(options.Family.TableRef).Append(" {\n");
        text.Append("  comment \"rules for kube-proxy\";\n");
        Maps(text, options.Family);
        Chain(text, MarkForMasquerade, $"meta mark set meta mark | {options.Mark}");
        Chain(text, RejectChain, "meta l4proto tcp reject with tcp reset", "reject");
        Checks(text, options);
        Hooks(text, options);
        text.Append("}\n");
        return text.ToString();
    }

    /// <summary>A script that removes the table, if there is one.</summary>
    public static string Remove(NftFamily family) => $"add table {family.TableRef}\ndelete table {family.TableRef}\n";

    private static void Maps(StringBuilder text, NftFamily family)
    {
        foreach (var name in (string[])[ServiceIPs, NoEndpointServices, FirewallIPs])
        {
            text.Append($"  map {name} {{ type {family.AddressType} . inet_proto . inet_service : verdict; }}\n");
        }

        foreach (var name in (string[])[ServiceNodePorts, NoEndpointNodePorts])
        {
            text.Append($"  map {name} {{ type inet_proto . inet_service : verdict; }}\n");
        }

        // The number that chance gives has no type of its own in nft: typeof names it.
        const string number = "meta l4proto . th dport . numgen random mod 2";
        text.Append($"  map {Endpoints} {{ typeof {family.Ip} daddr . {number} : {family.Ip} daddr . tcp dport; }}\n");
        text.Append($"  map {NodePortEndpoints} {{ typeof {number} : {family.Ip} daddr . tcp dport; }}\n");
        text.Append($"  set {ClusterIPs} {{ type {family.AddressType}; comment \"addresses of Services\"; }}\n");
        text.Append($"  set {Hairpins} {{ type {family.AddressType} . {family.AddressType}; comment \"endpoints here that may be their own clients\"; }}\n");
    }

    private static void Checks(StringBuilder text, NftOptions options)
    {
        var ip = options.Family.Ip;
        var onNode = NodePortMatch(options);
        Chain(text, "firewall-check", $"{ip} daddr . meta l4proto . th dport vmap @{FirewallIPs}");
        Chain(text, "service-endpoints-check", $"{ip} daddr . meta l4proto . th dport vmap @{NoEndpointServices}");
        Chain(text, "nodeport-endpoints-check", $"{onNode} meta l4proto . th dport vmap @{NoEndpointNodePorts}");
        Chain(text, "cluster-ips-check", $"{ip} daddr @{ClusterIPs} goto {RejectChain} comment \"ports that the Service does not have\"");
        string[] fromOutside = options.MasqueradeAll ? [$"{ip} daddr @{ClusterIPs} jump {MarkForMasquerade}"]
            : options.IfNotLocal is { } notLocal ? [$"{ip} daddr @{ClusterIPs} {notLocal} jump {MarkForMasquerade}"] : [];
        Chain(text, "services", [.. fromOutside, $"{ip} daddr . meta l4proto . th dport vmap @{ServiceIPs}", $"{onNode} meta l4proto . th dport vmap @{ServiceNodePorts}"]);
        Chain(
            text,
            "masquerading",
            $"meta mark & {options.Mark} != 0 meta mark set meta mark ^ {options.Mark} masquerade fully-random",
            $"ct status dnat {ip} saddr . {ip} daddr @{Hairpins} masquerade fully-random");
    }

    private static void Hooks(StringBuilder text, NftOptions options)
    {
        Chain(text, "nat-prerouting", "type nat hook prerouting priority dstnat; policy accept", "jump services");
        Chain(text, "nat-output", "type nat hook output priority -100; policy accept", "jump services");
        Chain(text, "nat-postrouting", "type nat hook postrouting priority srcnat; policy accept", "jump masquerading");
        Chain(text, "filter-prerouting", "type filter hook prerouting priority -110; policy accept", "ct state new jump firewall-check");
        Chain(text, "filter-input", "type filter hook input priority -110; policy accept", "ct state new jump nodeport-endpoints-check", "ct state new jump service-endpoints-check");
        Chain(text, "filter-forward", "type filter hook forward priority -110; policy accept", "ct state new jump service-endpoints-check", "ct state new jump cluster-ips-check");
        Chain(text, "filter-output", "type filter hook output priority -110; policy accept", "ct state new jump firewall-check");
        Chain(text, "filter-output-post-dnat", "type filter hook output priority -90; policy accept", "ct state new jump nodeport-endpoints-check", "ct state new jump service-endpoints-check", "ct state new jump cluster-ips-check");
    }

    /// <summary>Matches packets to an address of this node that answers on node ports. Loopback never does: replies could not be translated.</summary>
    private static string NodePortMatch(NftOptions options)
    {
        var family = options.Family;
        return options.NodePortNetworks.Count == 0
            ? $"fib daddr type local {family.Ip} daddr != {family.Loopback}"
            : $"fib daddr type local {family.Ip} daddr != {family.Loopback} {family.Ip} daddr {{ {string.Join(", ", options.NodePortNetworks)} }}";
    }

    private static void Chain(StringBuilder text, string name, params ReadOnlySpan<string> rules)
    {
        text.Append("  chain ").Append(name).Append(" {\n");
        foreach (var rule in rules)
        {
            text.Append("    ").Append(rule).Append(rule.StartsWith("type ", StringComparison.Ordinal) ? ";\n" : "\n");
        }

        text.Append("  }\n");
    }
}
