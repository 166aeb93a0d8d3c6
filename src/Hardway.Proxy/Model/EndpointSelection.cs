using System.Net;

namespace Hardway.Proxy.Model;

/// <summary>An address of a slice, with what decides whether it is chosen.</summary>
internal sealed record EndpointCandidate(IPAddress Address, int Port)
{
    public bool Ready { get; init; }

    /// <summary>Being deleted and still serving (KEP-1669).</summary>
    public bool ServingTerminating { get; init; }

    public string Node { get; init; } = "";
    public IReadOnlyList<string> ForZones { get; init; } = [];
    public IReadOnlyList<string> ForNodes { get; init; } = [];
}

/// <summary>
/// Which addresses get traffic, for policy Cluster and for policy Local: the ready ones, by topology hints where every ready one has them
/// and one is for us; those that are terminating and still serve only where none is ready. Pure.
/// </summary>
internal static class EndpointSelection
{
    public static (List<Endpoint> Cluster, List<Endpoint> Local) Select(IEnumerable<EndpointCandidate> candidates, NodeFacts node)
    {
        var all = candidates.ToList();
        var ready = all.FindAll(c => c.Ready);
        var cluster = ready.Count > 0 ? ByHints(ready, node) : all.FindAll(c => c.ServingTerminating);
        var here = all.FindAll(c => c.Node == node.Name);
        var local = here.Exists(c => c.Ready) ? here.FindAll(c => c.Ready) : here.FindAll(c => c.ServingTerminating);
        return (Ordered(cluster, node), Ordered(local, node));
    }

    private static List<EndpointCandidate> ByHints(List<EndpointCandidate> ready, NodeFacts node)
    {
        if (ready.TrueForAll(c => c.ForNodes.Count > 0) && ready.FindAll(c => c.ForNodes.Contains(node.Name)) is { Count: > 0 } sameNode)
        {
            return sameNode;
        }

        if (node.Zone.Length > 0 && ready.TrueForAll(c => c.ForZones.Count > 0) && ready.FindAll(c => c.ForZones.Contains(node.Zone)) is { Count: > 0 } sameZone)
        {
            return sameZone;
        }

        return ready;
    }

    /// <summary>By address, so that the rules do not depend on the order of slices.</summary>
    private static List<Endpoint> Ordered(List<EndpointCandidate> chosen, NodeFacts node)
    {
        var endpoints = chosen.ConvertAll(c => new Endpoint(c.Address, c.Port, c.Node == node.Name) { MayBeHere = c.Node.Length == 0 || c.Node == node.Name });
        endpoints.Sort((a, b) => a.Address.GetAddressBytes().AsSpan().SequenceCompareTo(b.Address.GetAddressBytes()) is var by and not 0 ? by : a.Port.CompareTo(b.Port));
        return endpoints;
    }
}
