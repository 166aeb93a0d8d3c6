using System.Text;

namespace Hardway.Proxy.Policies;

/// <summary>
/// The fixed part of the table. Only forwarded packets pass: what the node itself sends to its Pods (probes) or gets from them is never filtered.
/// Packets between Pods of one node pass too, because bridged ones are shown to the IP hooks (net.bridge.bridge-nf-call-iptables).
/// <code>
///  forward ─► egress  ─► known connection, or a Pod to itself: accept
///                        source in @egress-v4: its chain "egress-of-X" ─► each policy accepts what it allows ─► drop
///          ─► ingress ─► the same by destination
/// </code>
/// "accept" ends the hook's chain only, so a packet needs both directions' consent. Services are translated before (prerouting), so rules see
/// Pods' addresses, and masquerade comes after.
/// </summary>
internal static class PolicyBase
{
    public const string Table = "inet hardway-network-policy";

    public static string Word(PolicyDirection direction) => direction == PolicyDirection.Ingress ? "ingress" : "egress";

    public static string Map(PolicyDirection direction, bool v6) => $"{Word(direction)}-{(v6 ? "v6" : "v4")}";

    /// <summary>The set of "address . address" of isolated Pods: no policy keeps a Pod from itself, which it meets through its Service.</summary>
    public static string Self(bool v6) => v6 ? "self-v6" : "self-v4";

    public static string Recreate { get; } = Script();

    public static string Remove => $"add table {Table}\ndelete table {Table}\n";

    private static string Script()
    {
        var text = new StringBuilder(Remove);
        text.Append($"table {Table} {{\n  comment \"NetworkPolicy of this node's Pods\";\n");
        foreach (var (v6, type) in ((bool, string)[])[(false, "ipv4_addr"), (true, "ipv6_addr")])
        {
            text.Append($"  set {Self(v6)} {{ type {type} . {type}; }}\n");
            foreach (var direction in Enum.GetValues<PolicyDirection>())
            {
                text.Append($"  map {Map(direction, v6)} {{ type {type} : verdict; }}\n");
            }
        }

        Hook(text, PolicyDirection.Egress, "-5", "saddr");
        Hook(text, PolicyDirection.Ingress, "-4", "daddr");
        return text.Append("}\n").ToString();
    }

    private static void Hook(StringBuilder text, PolicyDirection direction, string priority, string end) => text.Append(
        $$"""
          chain {{Word(direction)}} {
            type filter hook forward priority {{priority}}; policy accept;
            ct state established,related accept
            icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert } accept
            ip saddr . ip daddr @{{Self(false)}} accept
            ip6 saddr . ip6 daddr @{{Self(true)}} accept
            ip {{end}} vmap @{{Map(direction, false)}}
            ip6 {{end}} vmap @{{Map(direction, true)}}
          }

        """);
}
