using Hardway.Proxy.Model;
using Hardway.Proxy.Nftables;

namespace Hardway.Proxy.Policies;

/// <summary>The sets that rules refer to: addresses of a peer's Pods, and addresses with the number that a port's name has there.</summary>
internal static class PolicySets
{
    /// <summary>Whoever writes policies chooses what is hashed: two peers must not share a set even when somebody tries.</summary>
    public const int HashLength = 20;

    private const int MaxComment = 120;

    public static PodSet Peer(PodPeer peer, bool v6)
    {
        var comment = peer.Key.Length <= MaxComment ? peer.Key : peer.Key[..MaxComment];
        return new(
            $"peer-{NftNames.Hash(peer.Key, HashLength)}-{Version(v6)}",
            $"type {AddressType(v6)}; comment \"{comment}\";",
            (pod, labels) => peer.Matches(pod, labels) ? pod.AddressesOf(v6) : []);
    }

    /// <summary>
    /// "address . protocol . number" of the Pods that have the port. A rule for ingress asks this node's Pods, the ones that it isolates; one for egress all.
    /// </summary>
    public static PodSet Port(string name, L4Protocol protocol, bool v6, bool localOnly)
    {
        var word = Word(protocol);
        return new(
            $"port-{name}-{word}-{(localOnly ? "here" : "all")}-{Version(v6)}",
            $"type {AddressType(v6)} . inet_proto . inet_service;",
            (pod, _) =>
                from port in localOnly && !pod.IsLocal ? [] : pod.Ports
                where port.Name == name && port.Protocol == protocol
                from address in pod.AddressesOf(v6)
                select $"{address} . {word} . {port.Number}");
    }

    public static string Word(L4Protocol protocol) => protocol switch
    {
        L4Protocol.Udp => "udp",
        L4Protocol.Sctp => "sctp",
        _ => "tcp",
    };

    private static string Version(bool v6) => v6 ? "v6" : "v4";

    private static string AddressType(bool v6) => v6 ? "ipv6_addr" : "ipv4_addr";
}
