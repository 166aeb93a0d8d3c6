using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.Client;

namespace Hardway.Proxy.LoadBalancing;

/// <summary>
/// From the API to who shall answer for which address. Pure, and the same on every node: each address has its own order of nodes (by a hash of both, so that
/// addresses are spread and a node's coming or going moves only its own), of which the first few watch each other.
/// </summary>
internal static class AnnouncementCompiler
{
    /// <summary>The mark of kube-controller-manager's service-lb-controller; addresses that somebody else gave are somebody else's to announce.</summary>
    public const string Condition = "hardway/Layer2Address";

    private const string ExcludeLabel = "node.kubernetes.io/exclude-from-external-load-balancers";

    /// <summary>One that answers and two that stand by: more need not hear heartbeats.</summary>
    private const int Candidates = 3;

    public static bool IsAnnounced(Service service) =>
        service.Spec.Type == "LoadBalancer" && (service.Status.Conditions ?? []).Exists(c => c is { Type: Condition, Status: "True" }) && service.Status.LoadBalancer.Ingress is { Count: > 0 };

    public static AnnouncementView Compile(IEnumerable<Service> services, Func<string, IReadOnlyList<EndpointSlice>> slicesOf, IEnumerable<Node> nodes)
    {
        var places = new Dictionary<string, IPAddress>(StringComparer.Ordinal);
        foreach (var node in nodes.Where(IsFit))
        {
            if (AddressOf(node) is { } address)
            {
                places[node.Metadata.Name] = address;
            }
        }

        var announced = new SortedDictionary<string, AnnouncedAddress>(StringComparer.Ordinal);
        foreach (var service in services.Where(IsAnnounced).OrderBy(KubeKey.Of, StringComparer.Ordinal))
        {
            var key = KubeKey.Of(service);
            var fit = service.Spec.ExternalTrafficPolicy == "Local" ? WithEndpoints(slicesOf(key)).Where(places.ContainsKey).ToList() : [.. places.Keys];
            foreach (var ingress in service.Status.LoadBalancer.Ingress!)
            {
                if (IPAddress.TryParse(ingress.Ip, out var address))
                {
                    announced.TryAdd(ingress.Ip, new(address, key, [.. Order(address, fit).Take(Candidates)]));
                }
            }
        }

        return new([.. announced.Values], places);
    }

    /// <summary>The nodes in the order in which they would answer for the address.</summary>
    public static IEnumerable<string> Order(IPAddress address, IEnumerable<string> nodes) =>
        nodes.OrderBy(n => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{address} {n}"))), StringComparer.Ordinal);

    private static bool IsFit(Node node) =>
        node.Metadata.DeletionTimestamp is null
        && node.Metadata.Labels?.ContainsKey(ExcludeLabel) != true
        && (node.Status.Conditions ?? []).Exists(c => c is { Type: "Ready", Status: "True" })
        && !(node.Status.Conditions ?? []).Exists(c => c is { Type: "NetworkUnavailable", Status: "True" });

    private static IPAddress? AddressOf(Node node) =>
        (node.Status.Addresses ?? []).Where(a => a.Type == "InternalIP").Select(a => IPAddress.TryParse(a.Address, out var address) ? address : null)
            .FirstOrDefault(a => a?.AddressFamily == AddressFamily.InterNetwork);

    /// <summary>With policy Local: the nodes with an endpoint that takes traffic, as <see cref="Model.EndpointSelection"/> chooses on each of them.</summary>
    private static IEnumerable<string> WithEndpoints(IReadOnlyList<EndpointSlice> slices) =>
        slices.SelectMany(s => s.Endpoints ?? [])
            .Where(e => e.NodeName is { Length: > 0 } && ((e.Conditions.Ready ?? true) || ((e.Conditions.Serving ?? false) && (e.Conditions.Terminating ?? false))))
            .Select(e => e.NodeName!).Distinct(StringComparer.Ordinal);
}
