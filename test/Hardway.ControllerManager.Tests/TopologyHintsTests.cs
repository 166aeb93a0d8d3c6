using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.Api.Meta.V1;

namespace Hardway.ControllerManager.Tests;

public sealed class TopologyHintsTests
{
    private static List<Endpoint> Endpoints(params string[] zones) =>
        [.. zones.Select((z, i) => new Endpoint { Addresses = [$"10.0.0.{i}"], Zone = z, NodeName = $"node-{z}", Conditions = new EndpointConditions { Ready = true } })];

    private static Node Node(string zone, int cpus) => new()
    {
        Metadata = new ObjectMeta { Name = $"node-{zone}", Labels = new() { ["topology.kubernetes.io/zone"] = zone } },
        Status = new NodeStatus { Allocatable = new() { ["cpu"] = Quantity.Parse($"{cpus}") }, Conditions = [new NodeCondition { Type = "Ready", Status = "True" }] },
    };

    private static string[] Zones(IEnumerable<Endpoint> endpoints) => [.. endpoints.Select(e => e.Hints?.ForZones?[0].Name ?? "")];

    [Fact]
    public void Traffic_that_prefers_its_zone_or_node_has_each_endpoint_hinted_to_its_own()
    {
        var endpoints = Endpoints("a", "b");
        TopologyHints.Apply(new Service { Spec = new ServiceSpec { TrafficDistribution = "PreferSameNode" } }, endpoints, []);
        Assert.Equal(["a", "b"], Zones(endpoints));
        Assert.Equal(["node-a", "node-b"], endpoints.Select(e => e.Hints!.ForNodes![0].Name));
        endpoints = Endpoints("a", "b");
        TopologyHints.Apply(new Service { Spec = new ServiceSpec { TrafficDistribution = "PreferClose" } }, endpoints, []);
        Assert.All(endpoints, e => Assert.Null(e.Hints!.ForNodes));
        endpoints[0].Zone = null;
        endpoints.ForEach(e => e.Hints = null);
        TopologyHints.Apply(new Service { Spec = new ServiceSpec { TrafficDistribution = "PreferClose" } }, endpoints, []);
        Assert.All(endpoints, e => Assert.Null(e.Hints));
    }

    [Fact]
    public void Hints_by_capacity_lend_endpoints_to_a_zone_that_has_too_few()
    {
        var service = new Service { Metadata = new ObjectMeta { Annotations = new() { ["service.kubernetes.io/topology-mode"] = "Auto" } } };
        var endpoints = Endpoints("a", "a", "a", "a", "a", "b");
        TopologyHints.Apply(service, endpoints, [Node("a", 4), Node("b", 4)]);
        Assert.Equal(3, Zones(endpoints).Count(z => z == "b"));
        endpoints = Endpoints("a");
        TopologyHints.Apply(service, endpoints, [Node("a", 4), Node("b", 4)]);
        Assert.All(endpoints, e => Assert.Null(e.Hints));
    }
}
