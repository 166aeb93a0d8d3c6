using System.Net;

namespace Hardway.Proxy.LoadBalancing;

/// <summary>An address of a LoadBalancer Service and the nodes that shall answer for it: the first of them that is alive does.</summary>
internal sealed record AnnouncedAddress(IPAddress Address, string Service, IReadOnlyList<string> Nodes);

/// <summary>All addresses, and where the nodes are. Immutable.</summary>
internal sealed record AnnouncementView(IReadOnlyList<AnnouncedAddress> Addresses, IReadOnlyDictionary<string, IPAddress> Nodes)
{
    public static readonly AnnouncementView Empty = new([], new Dictionary<string, IPAddress>());

    /// <summary>The other nodes that share an address with this one: they hear each other's heartbeats.</summary>
    public IEnumerable<string> PeersOf(string node) => Addresses.Where(a => a.Nodes.Contains(node)).SelectMany(a => a.Nodes).Where(n => n != node).Distinct(StringComparer.Ordinal);

    /// <summary>What this node answers for now.</summary>
    public IEnumerable<AnnouncedAddress> OwnedBy(string node, Func<string, bool> isAlive) => Addresses.Where(a => a.Nodes.FirstOrDefault(n => n == node || isAlive(n)) == node);
}
