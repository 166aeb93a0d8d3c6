using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;

namespace Hardway.ControllerManager;

/// <summary>
/// Writes into endpoints for whom they are, from a Service's trafficDistribution (KEP-4444, KEP-3015) or its annotation topology-mode: Auto (KEP-2433): pure.
/// Hints are all or nothing for a Service: with some missing, kube-proxy would overload those that have them.
/// </summary>
internal static class TopologyHints
{
    private const string Mode = "service.kubernetes.io/topology-mode";
    private const string OldMode = "service.kubernetes.io/topology-aware-hints";
    private const double MostOverload = 0.2;

    public static void Apply(Service service, IReadOnlyCollection<Endpoint> endpoints, IReadOnlyCollection<Node> nodes)
    {
        var ready = endpoints.Where(e => e.Conditions.Ready == true).ToList();
        switch (service.Spec.TrafficDistribution)
        {
            case "PreferClose" or "PreferSameZone":
                ToZones(ready, withNodes: false);
                return;
            case "PreferSameNode":
                ToZones(ready, withNodes: true);
                return;
        }
        var mode = service.Metadata.Annotations?.GetValueOrDefault(Mode) ?? service.Metadata.Annotations?.GetValueOrDefault(OldMode);
        if (mode is "Auto" or "auto") ByCapacity(ready, nodes);
    }

    private static void ToZones(List<Endpoint> ready, bool withNodes)
    {
        if (!withNodes && ready.Exists(e => string.IsNullOrEmpty(e.Zone))) return;
        foreach (var endpoint in ready)
        {
            var hints = new EndpointHints();
            if (endpoint.Zone is { Length: > 0 } zone) hints.ForZones = [new ForZone { Name = zone }];
            if (withNodes && endpoint.NodeName is { Length: > 0 } node) hints.ForNodes = [new ForNode { Name = node }];
            if (hints.ForZones is not null || hints.ForNodes is not null) endpoint.Hints = hints;
        }
    }

    /// <summary>Each zone gets endpoints in proportion to the CPUs of its nodes; none where that cannot be done without overloading a zone's endpoints.</summary>
    private static void ByCapacity(List<Endpoint> ready, IReadOnlyCollection<Node> nodes)
    {
        if (Shares(nodes) is not { Count: > 1 } shares || ready.Count < shares.Count || ready.Exists(e => e.Zone is null || !shares.ContainsKey(e.Zone))) return;
        var wanted = shares.ToDictionary(s => s.Key, s => Math.Max(1, (int)Math.Ceiling(ready.Count * s.Value / (1 + MostOverload) - 1e-9)), StringComparer.Ordinal);
        if (wanted.Values.Sum() > ready.Count) return;
        var byZone = shares.Keys.ToDictionary(z => z, z => ready.Where(e => e.Zone == z).ToList(), StringComparer.Ordinal);
        var given = byZone.ToDictionary(z => z.Key, z => z.Value.Count, StringComparer.Ordinal);
        foreach (var endpoint in ready) endpoint.Hints = new EndpointHints { ForZones = [new ForZone { Name = endpoint.Zone! }] };
        foreach (var poor in wanted.Keys.Order(StringComparer.Ordinal))
        {
            while (given[poor] < wanted[poor])
            {
                // The zone that can best spare one lends it.
                var rich = given.Keys.Where(z => given[z] > wanted[z]).OrderByDescending(z => given[z] - wanted[z]).ThenBy(z => z, StringComparer.Ordinal).First();
                var lent = byZone[rich].Last(e => e.Hints!.ForZones![0].Name == rich);
                lent.Hints = new EndpointHints { ForZones = [new ForZone { Name = poor }] };
                given[rich]--;
                given[poor]++;
            }
        }
    }

    /// <summary>Each zone's share of all CPUs of ready nodes; null: a node's zone or CPUs are not known.</summary>
    private static Dictionary<string, double>? Shares(IReadOnlyCollection<Node> nodes)
    {
        Dictionary<string, double> cpus = new(StringComparer.Ordinal);
        foreach (var node in nodes.Where(n => NodeHealth.IsReady(n) && n.Metadata.Labels?.ContainsKey("node-role.kubernetes.io/control-plane") != true))
        {
            if (node.Metadata.Labels?.GetValueOrDefault("topology.kubernetes.io/zone") is not { Length: > 0 } zone || node.Status.Allocatable?.GetValueOrDefault("cpu") is not { } cpu || cpu.IsZero) return null;
            cpus[zone] = cpus.GetValueOrDefault(zone) + cpu.MilliValue;
        }
        var total = cpus.Values.Sum();
        return total <= 0 ? null : cpus.ToDictionary(c => c.Key, c => c.Value / total, StringComparer.Ordinal);
    }
}
