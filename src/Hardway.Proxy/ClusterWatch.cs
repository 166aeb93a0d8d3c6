using System.Net;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.Client;
using Hardway.Proxy.LoadBalancing;
using Hardway.Proxy.Model;
using Microsoft.Extensions.Logging;

namespace Hardway.Proxy;

/// <summary>What kube-proxy watches: Services, EndpointSlices and its own Node. Handlers only mark and signal.</summary>
internal sealed class ClusterWatch
{
    private const string ZoneLabel = "topology.kubernetes.io/zone";
    private const string GoingTaint = "ToBeDeletedByClusterAutoscaler";
    private readonly Informer<Service> _services;
    private readonly Informer<EndpointSlice> _slices;
    private readonly Informer<Node> _nodes;
    private readonly TimeProvider _time;
    private readonly string _name;

    public ClusterWatch(KubeClient client, ILoggerFactory logs, string nodeName, string selector)
    {
        _name = nodeName;
        _time = client.Time;
        _services = new Informer<Service>(client, logs, new InformerOptions { LabelSelector = selector });
        _slices = new Informer<EndpointSlice>(client, logs, new InformerOptions { LabelSelector = selector });
        _nodes = new Informer<Node>(client, logs, new InformerOptions { FieldSelector = "metadata.name=" + nodeName });
        _slices.Store.AddIndex(ServiceMap.ByService, s => [ServiceMap.KeyOf(s)]);
        Services = new ServiceMap(_services.Store, _slices.Store);
    }

    public ServiceMap Services { get; }

    public NodeFacts Node => new(_name, _nodes.Store.Get(_name)?.Metadata.Labels?.GetValueOrDefault(ZoneLabel) ?? "");

    /// <summary>Is there an address for the nodes to announce?</summary>
    public bool HasAnnouncedServices => Array.Exists(_services.Store.List(), AnnouncementCompiler.IsAnnounced);

    public AnnouncementView Announcements(IEnumerable<Node> nodes) => AnnouncementCompiler.Compile(_services.Store.List(), key => _slices.Store.ByIndex(ServiceMap.ByService, key), nodes);

    /// <summary>Calls back after every change of a Service or a slice.</summary>
    public void AttachLoadBalancers(Action changed)
    {
        _services.AddHandler(_ => changed());
        _slices.AddHandler(_ => changed());
    }

    public Task RunAsync(CancellationToken cancel) => Task.WhenAll(_services.RunAsync(cancel), _slices.RunAsync(cancel), _nodes.RunAsync(cancel));

    public Task WaitForSyncAsync(CancellationToken cancel) =>
        Task.WhenAll(_services.WaitForSyncAsync(cancel), _slices.WaitForSyncAsync(cancel), _nodes.WaitForSyncAsync(cancel));

    /// <summary>From now on every change is marked and signalled. What is there already counts as changed.</summary>
    public void Attach(Action signal, ProxyHealth health, ProxyMetrics metrics)
    {
        _services.AddHandler(service =>
        {
            metrics.ServiceChanges.Inc();
            Services.Mark(KubeKey.Of(service));
            signal();
        });
        _slices.AddHandler(slice =>
        {
            metrics.EndpointChanges.Inc();
            Services.Mark(ServiceMap.KeyOf(slice));
            signal();
        });
        var zone = Node.Zone;
        _nodes.AddHandler(node =>
        {
            health.NodeGoing = node.Metadata.DeletionTimestamp is not null || (node.Spec.Taints ?? []).Exists(t => t.Key == GoingTaint);
            var now = node.Metadata.Labels?.GetValueOrDefault(ZoneLabel) ?? "";
            if (now != zone)
            {
                zone = now;
                signal();
            }
        });
    }

    /// <summary>The addresses that this Node object calls InternalIP, waited for: the kubelet tells them.</summary>
    public Task<List<IPNetwork>> PrimaryAddressesAsync(CancellationToken cancel) => WaitForAsync(
        node => [.. (node.Status.Addresses ?? []).Where(a => a.Type == "InternalIP").Select(a => IPAddress.Parse(a.Address)).Select(a => new IPNetwork(a, a.GetAddressBytes().Length * 8))], cancel);

    /// <summary>This node's Pod networks, waited for: the controller manager assigns them.</summary>
    public Task<List<IPNetwork>> PodNetworksAsync(CancellationToken cancel) => WaitForAsync(PodNetworks, cancel);

    private static List<IPNetwork> PodNetworks(Node node)
    {
        List<string> texts = node.Spec.PodCIDRs is { Count: > 0 } all ? all : node.Spec.PodCIDR is { Length: > 0 } one ? [one] : [];
        return texts.ConvertAll(IPNetwork.Parse);
    }

    private async Task<List<IPNetwork>> WaitForAsync(Func<Node, List<IPNetwork>> of, CancellationToken cancel)
    {
        while (true)
        {
            if (_nodes.Store.Get(_name) is { } node && of(node) is { Count: > 0 } networks)
            {
                return networks;
            }

            await Task.Delay(TimeSpan.FromSeconds(1), _time, cancel).ConfigureAwait(false);
        }
    }
}
