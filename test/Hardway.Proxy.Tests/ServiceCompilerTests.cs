using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.Proxy.Model;

namespace Hardway.Proxy.Tests;

public sealed class ServiceCompilerTests
{
    private static readonly NodeFacts s_node = new("node-0", "zone-a");

    private static Service Service(string spec) => ApiJson.Deserialize<Service>(YamlBytes($"metadata: {{name: web, namespace: default}}\nspec: {spec}"));

    private static EndpointSlice Slice(string endpoints, string port = "{name: http, port: 8080, protocol: TCP}") =>
        ApiJson.Deserialize<EndpointSlice>(YamlBytes($"metadata: {{name: web-1, namespace: default, labels: {{kubernetes.io/service-name: web}}}}\naddressType: IPv4\nports: [{port}]\nendpoints: {endpoints}"));

    private static byte[] YamlBytes(string yaml) => YamlJson.ToJson(yaml);

    private static Model.ServicePort One(string spec, string endpoints) => Assert.Single(ServiceCompiler.Compile(Service(spec), [Slice(endpoints)], s_node));

    private static string Addresses(IEnumerable<Model.Endpoint> endpoints) => string.Join(' ', endpoints.Select(e => $"{e.Address}:{e.Port}"));

    private const string Ports = "ports: [{name: http, port: 80, targetPort: 8080, protocol: TCP, nodePort: 30080}]";

    [Fact]
    public void A_Service_is_compiled_with_its_ready_endpoints_by_port_name()
    {
        var port = One($"{{type: ClusterIP, clusterIP: 10.32.0.7, {Ports}}}", "[{addresses: [10.200.1.3], nodeName: node-1, conditions: {ready: true}}, {addresses: [10.200.0.2], nodeName: node-0}, {addresses: [10.200.0.9], conditions: {ready: false}}]");

        Assert.Equal("default/web:http", port.Name.ToString());
        Assert.Equal("10.200.0.2:8080 10.200.1.3:8080", Addresses(port.ClusterEndpoints));
        Assert.Equal("10.200.0.2:8080", Addresses(port.LocalEndpoints));
        Assert.Equal(0, port.NodePort); // not exposed by its type
    }

    [Fact]
    public void A_LoadBalancer_has_its_addresses_policies_and_affinity()
    {
        var service = Service($"{{type: LoadBalancer, clusterIP: 10.32.0.7, {Ports}, externalTrafficPolicy: Local, internalTrafficPolicy: Local, healthCheckNodePort: 31000, sessionAffinity: ClientIP, sessionAffinityConfig: {{clientIP: {{timeoutSeconds: 60}}}}, externalIPs: [198.51.100.1, 'fd00::9'], loadBalancerSourceRanges: [192.0.2.0/24]}}");
        service.Status.LoadBalancer.Ingress = [new() { Ip = "203.0.113.7", IpMode = "VIP" }, new() { Ip = "203.0.113.8", IpMode = "Proxy" }];

        var port = Assert.Single(ServiceCompiler.Compile(service, [], s_node));

        Assert.Equal(30080, port.NodePort);
        Assert.Equal("203.0.113.7", Assert.Single(port.LoadBalancerIPs).ToString());
        Assert.Equal("198.51.100.1", Assert.Single(port.ExternalIPs).ToString());
        Assert.Equal("192.0.2.0/24", Assert.Single(port.SourceRanges).ToString());
        Assert.True(port is { ExternalLocal: true, InternalLocal: true, HealthCheckNodePort: 31000 });
        Assert.Equal(TimeSpan.FromMinutes(1), port.Affinity);
    }

    [Theory]
    [InlineData("{type: ExternalName, externalName: example.org}")]
    [InlineData("{clusterIP: None, ports: [{port: 80}]}")]
    [InlineData("{clusterIP: '', ports: [{port: 80}]}")]
    public void Services_without_a_cluster_IP_have_no_rules(string spec) => Assert.Empty(ServiceCompiler.Compile(Service(spec), [], s_node));

    [Fact]
    public void Where_nothing_is_ready_what_terminates_and_still_serves_is_used()
    {
        var port = One($"{{clusterIP: 10.32.0.7, {Ports}}}", "[{addresses: [10.200.0.2], nodeName: node-0, conditions: {ready: false, serving: true, terminating: true}}, {addresses: [10.200.0.3], conditions: {ready: false, serving: false, terminating: true}}]");

        Assert.Equal("10.200.0.2:8080", Addresses(port.ClusterEndpoints));
        Assert.Equal("10.200.0.2:8080", Addresses(port.LocalEndpoints));
    }

    [Fact]
    public void Zone_hints_count_when_all_have_them_and_one_is_for_us()
    {
        const string Hinted = "[{addresses: [10.200.0.2], hints: {forZones: [{name: zone-a}]}}, {addresses: [10.200.0.3], hints: {forZones: [{name: zone-b}]}}]";
        const string Partly = "[{addresses: [10.200.0.2], hints: {forZones: [{name: zone-a}]}}, {addresses: [10.200.0.3]}]";
        const string Elsewhere = "[{addresses: [10.200.0.2], hints: {forZones: [{name: zone-b}]}}, {addresses: [10.200.0.3], hints: {forZones: [{name: zone-b}]}}]";

        Assert.Equal("10.200.0.2:8080", Addresses(One($"{{clusterIP: 10.32.0.7, {Ports}}}", Hinted).ClusterEndpoints));
        Assert.Equal("10.200.0.2:8080 10.200.0.3:8080", Addresses(One($"{{clusterIP: 10.32.0.7, {Ports}}}", Partly).ClusterEndpoints));
        Assert.Equal("10.200.0.2:8080 10.200.0.3:8080", Addresses(One($"{{clusterIP: 10.32.0.7, {Ports}}}", Elsewhere).ClusterEndpoints));
    }

    [Fact]
    public void Both_families_have_their_own_ports()
    {
        var ports = ServiceCompiler.Compile(Service($"{{clusterIP: 10.32.0.7, clusterIPs: [10.32.0.7, 'fd00::7'], {Ports}}}"), [Slice("[{addresses: [10.200.0.2]}]")], s_node);

        Assert.Equal(["10.32.0.7", "fd00::7"], ports.Select(p => p.ClusterIP.ToString()));
        Assert.Equal([1, 0], ports.Select(p => p.ClusterEndpoints.Count));
    }
}
