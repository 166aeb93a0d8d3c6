using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;

namespace Hardway.ControllerManager.Tests.Server;

/// <summary>Addresses of LoadBalancer Services on a real API server. One test: the pool is the cluster's.</summary>
public sealed class LoadBalancerTests(RealServer server) : IClassFixture<RealServer>
{
    private static Service New(Cluster cluster, string name, string? loadBalancerClass = null) => new()
    {
        Metadata = new ObjectMeta { Namespace = cluster.Namespace, Name = name },
        Spec = new ServiceSpec { Type = "LoadBalancer", LoadBalancerClass = loadBalancerClass, Ports = [new ServicePort { Port = 80 }] },
    };

    [Fact]
    public async Task Services_get_addresses_of_the_pool_keep_them_and_give_them_back()
    {
        await using var cluster = await Cluster.StartAsync(server);
        string Address(string name) => cluster.View<Service>().Store.Get(cluster.Namespace, name) is { } s ? string.Join(' ', (s.Status.LoadBalancer.Ingress ?? []).Select(i => i.Ip)) : "gone";
        var first = cluster.Run(c => new ServiceLoadBalancerController(c));
        await cluster.Client.CreateAsync(New(cluster, "other", "example.com/other"), cluster.Stop);
        await cluster.Client.CreateAsync(New(cluster, "a"), cluster.Stop);
        await cluster.Client.CreateAsync(new ConfigMap { Metadata = new ObjectMeta { Namespace = "kube-system", Name = ServiceLoadBalancerController.Map }, Data = new() { [ServiceLoadBalancerController.MapKey] = "192.0.2.10-192.0.2.11" } }, cluster.Stop);
        await cluster.UntilAsync(() => Address("a") == "192.0.2.10", "the first address");
        await cluster.Client.CreateAsync(New(cluster, "b", ServiceLoadBalancerController.Class), cluster.Stop);
        await cluster.UntilAsync(() => Address("b") == "192.0.2.11", "the second address");
        await cluster.Client.CreateAsync(New(cluster, "c"), cluster.Stop);
        await cluster.UntilAsync(() => cluster.View<Event>().Store.List(cluster.Namespace).Any(e => e.Reason == "AllocationFailed"), "c to be told that there is no address");

        // Another instance finds the addresses given; b's goes to c when b no longer wants it.
        await first.DisposeAsync();
        cluster.Run(c => new ServiceLoadBalancerController(c));
        var b = await cluster.Client.GetAsync<Service>(cluster.Namespace, "b", cluster.Stop);
        (b.Spec.Type, b.Spec.LoadBalancerClass) = ("ClusterIP", null);
        (b.Spec.AllocateLoadBalancerNodePorts, b.Spec.ExternalTrafficPolicy) = (null, "");
        foreach (var port in b.Spec.Ports!) port.NodePort = 0;
        await cluster.Client.UpdateAsync(b, cluster.Stop);
        await cluster.UntilAsync(() => Address("b").Length == 0 && Address("c") == "192.0.2.11", "b's address to go to c");
        Assert.Equal("192.0.2.10", Address("a"));
        await cluster.Client.DeleteAsync<Service>(cluster.Namespace, "a", null, cluster.Stop);
        await cluster.Client.CreateAsync(New(cluster, "d"), cluster.Stop);
        await cluster.UntilAsync(() => Address("d") == "192.0.2.10", "a's address to go to d");

        // Another pool moves everybody; one's own wish is met where it can be.
        var map = await cluster.Client.GetAsync<ConfigMap>("kube-system", ServiceLoadBalancerController.Map, cluster.Stop);
        map.Data![ServiceLoadBalancerController.MapKey] = "198.51.100.0/30 nonsense";
        await cluster.Client.UpdateAsync(map, cluster.Stop);
        await cluster.UntilAsync(() => ((string[])["c", "d"]).Select(Address).Order().SequenceEqual(["198.51.100.0", "198.51.100.1"]), "addresses of the new pool");
        var wish = New(cluster, "e");
        wish.Spec.LoadBalancerIP = "198.51.100.3";
        await cluster.Client.CreateAsync(wish, cluster.Stop);
        await cluster.UntilAsync(() => Address("e") == "198.51.100.3", "the wish");
        Assert.Equal("", Address("other"));
    }
}
