using System.Net;

namespace Hardway.Proxy.Nftables;

/// <summary>What the rules of one family depend on beside the Services.</summary>
internal sealed record NftOptions
{
    public required NftFamily Family { get; init; }
    public int MasqueradeBit { get; init; } = 14;
    public bool MasqueradeAll { get; init; }

    /// <summary>A match for packets from Pods of the cluster or this node, such as "ip saddr 10.200.0.0/16"; null when it cannot be told.</summary>
    public string? IfLocal { get; init; }

    /// <summary>The opposite match.</summary>
    public string? IfNotLocal { get; init; }

    /// <summary>Networks whose local addresses answer on node ports; empty: every address of the node except loopback.</summary>
    public IReadOnlyList<IPNetwork> NodePortNetworks { get; init; } = [];

    public string Mark => $"0x{1 << MasqueradeBit:x8}";
}
