namespace Hardway.Proxy.Nftables;

internal enum NftPickKind
{
    Internal,
    External,
    NodePort,
}

/// <summary>
/// A chain that all Services with so many endpoints share: it names one of them by chance and translates the destination to what the map has for it.
/// From outside the packet is marked for masquerade first, because the endpoint may be on another node.
/// </summary>
internal readonly record struct NftPick(NftPickKind Kind, int Count)
{
    public string Chain => Kind switch
    {
        NftPickKind.External => $"external-pick-{Count}",
        NftPickKind.NodePort => $"nodeport-pick-{Count}",
        _ => $"pick-{Count}",
    };

    /// <summary>One rule a protocol, because only then nft knows that there are ports to translate.</summary>
    public IEnumerable<string> Rules(NftFamily family)
    {
        if (Kind != NftPickKind.Internal)
        {
            yield return $"jump {NftBase.MarkForMasquerade}";
        }

        var (address, map) = Kind == NftPickKind.NodePort ? ("", NftBase.NodePortEndpoints) : ($"{family.Ip} daddr . ", NftBase.Endpoints);
        foreach (var protocol in (string[])["tcp", "udp", "sctp"])
        {
            yield return $"meta l4proto {protocol} dnat {family.Ip} to {address}meta l4proto . th dport . numgen random mod {Count} map @{map}";
        }
    }
}
