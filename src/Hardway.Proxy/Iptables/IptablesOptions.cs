using System.Net;

namespace Hardway.Proxy.Iptables;

/// <summary>What the rules of one family depend on beside the Services.</summary>
internal sealed record IptablesOptions
{
    public bool IsV6 { get; init; }
    public int MasqueradeBit { get; init; } = 14;
    public bool MasqueradeAll { get; init; }

    /// <summary>Do node ports answer on loopback as well? (IPv4 only; needs the sysctl route_localnet.)</summary>
    public bool LocalhostNodePorts { get; init; }

    /// <summary>A match for packets from Pods, such as "-s 10.200.0.0/16"; null when it cannot be told.</summary>
    public string? IfLocal { get; init; }

    public string? IfNotLocal { get; init; }
    public IReadOnlyList<IPNetwork> NodePortNetworks { get; init; } = [];

    public string Mark => $"0x{1 << MasqueradeBit:x}/0x{1 << MasqueradeBit:x}";

    public string Program => IsV6 ? "ip6tables" : "iptables";

    public string Loopback => IsV6 ? "::1/128" : "127.0.0.0/8";
}
