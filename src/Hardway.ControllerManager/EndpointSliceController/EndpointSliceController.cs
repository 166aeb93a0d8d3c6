using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;
using EndpointPort = Hardway.Api.Discovery.V1.EndpointPort;

namespace Hardway.ControllerManager;

/// <summary>
/// Keeps the EndpointSlices of every Service with a selector: its Pods' addresses with ready, serving and terminating, at most 100 a slice. Slices
/// of other managers are not touched. A Service waits while the cache has not shown what was written for it last. Keys are Services.
/// </summary>
internal sealed class EndpointSliceController : ClusterController
{
    private const string Manager = "endpointslice-controller.k8s.io";
    private const string Headless = "service.kubernetes.io/headless";

    private readonly EventRecorder _events;
    private readonly Informer<Service> _services;
    private readonly Informer<Pod> _pods;
    private readonly Informer<Node> _nodes;
    private readonly ServiceSlices _slices;
    private readonly int _most;

    public EndpointSliceController(ControllerContext context) : base("endpointslice-controller", "endpointslice-controller", context)
    {
        _events = EventsAs("endpoint-slice-controller");
        _most = context.Options.MaxEndpointsPerSlice;
        _services = Watch<Service>();
        _pods = Watch<Pod>().AddPodIndexes();
        _nodes = Watch<Node>();
        _slices = new ServiceSlices(Client, Watch<EndpointSlice>(), Manager, Queue.Add);
        _services.AddHandler(s => Queue.Add(KubeKey.Of(s)));
        _pods.AddHandler(p => EnqueueFor(p), (old, now) => { if (ServicePods.Differs(old, now)) EnqueueFor(old, now); }, p => EnqueueFor(p));
        _nodes.AddHandler(updated: (old, now) => { if (ZoneOf(old) != ZoneOf(now)) foreach (var pod in _pods.OnNode(now.Metadata.Name)) EnqueueFor(pod); });
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_services.Store.Get(key) is not { } service)
        {
            // The garbage collector removes the slices: the Service owns them.
            _slices.Forget(key);
            return;
        }
        if (service.Spec.Type == "ExternalName" || service.Spec.Selector is not { Count: > 0 } map || _slices.Of(key) is not { } mine) return;
        var selector = Selector.FromMap(map);
        var pods = _pods.Store.List(service.Metadata.Namespace).Where(p => selector.Matches(p.Metadata.Labels) && ServicePods.MayServe(p, includeTerminating: true)).ToList();
        var families = ServicePods.FamiliesV6(service).ToList();
        try
        {
            foreach (var v6 in families)
            {
                var template = Template(service, v6, pods);
                var existing = mine.Where(s => s.AddressType == template.AddressType).ToList();
                await _slices.ApplyAsync(key, SlicePlan.Make(existing, Wanted(service, pods, v6), template, _most), cancellationToken);
            }
            await _slices.DeleteAsync(key, mine.Where(s => !families.Contains(s.AddressType == "IPv6")), cancellationToken);
        }
        catch (ApiException e) when (!e.IsConflict)
        {
            _events.Warning(service, "FailedToUpdateEndpointSlices", $"Error updating Endpoint Slices for Service {key}: {e.Message}");
            throw;
        }
    }

    private Dictionary<string, (List<EndpointPort> Ports, List<Endpoint> Endpoints)> Wanted(Service service, List<Pod> pods, bool v6)
    {
        Dictionary<string, (List<EndpointPort> Ports, List<Endpoint> Endpoints)> wanted = new(StringComparer.Ordinal);
        foreach (var pod in pods)
        {
            if (ServicePods.Address(pod, v6) is not { } address) continue;
            var ports = ServicePods.Ports(service, pod).ConvertAll(p => new EndpointPort { Name = p.Port.Name, Port = p.Target, Protocol = p.Port.Protocol.Length == 0 ? "TCP" : p.Port.Protocol, AppProtocol = p.Port.AppProtocol });
            if (ports.Count == 0 && !(ServicePods.IsHeadless(service) && service.Spec.Ports is null or { Count: 0 })) continue;
            var key = SlicePlan.KeyOf(ports);
            if (!wanted.TryGetValue(key, out var group)) wanted[key] = group = (ports, []);
            group.Endpoints.Add(ToEndpoint(service, pod, address));
        }
        foreach (var (_, endpoints) in wanted.Values) TopologyHints.Apply(service, endpoints, _nodes.Store.List());
        return wanted;
    }

    private Endpoint ToEndpoint(Service service, Pod pod, string address)
    {
        var serving = PodState.IsReady(pod);
        var terminating = PodState.IsTerminating(pod);
        return new Endpoint
        {
            Addresses = [address],
            Conditions = new EndpointConditions { Ready = service.Spec.PublishNotReadyAddresses || (serving && !terminating), Serving = serving, Terminating = terminating },
            Hostname = ServicePods.Hostname(service, pod),
            NodeName = pod.Spec.NodeName.Length > 0 ? pod.Spec.NodeName : null,
            Zone = ZoneOf(_nodes.Store.Get(pod.Spec.NodeName)),
            TargetRef = ServicePods.Reference(pod),
        };
    }

    private static EndpointSlice Template(Service service, bool v6, List<Pod> pods)
    {
        var labels = new Dictionary<string, string>(service.Metadata.Labels ?? [], StringComparer.Ordinal);
        foreach (var reserved in labels.Keys.Where(l => l is Headless or ServiceSlices.ServiceName or ServiceSlices.ManagedBy).ToList()) labels.Remove(reserved);
        labels[ServiceSlices.ServiceName] = service.Metadata.Name;
        labels[ServiceSlices.ManagedBy] = Manager;
        if (ServicePods.IsHeadless(service)) labels[Headless] = "";
        var changed = pods.Select(p => PodState.Condition(p, "Ready")?.LastTransitionTime).Append(service.Metadata.CreationTimestamp).Max();
        return new EndpointSlice
        {
            Metadata = new ObjectMeta
            {
                Namespace = service.Metadata.Namespace,
                GenerateName = service.Metadata.Name + "-",
                Labels = labels,
                Annotations = changed is { } at ? new Dictionary<string, string>(StringComparer.Ordinal) { [ServiceSlices.TriggerTime] = ApiTime.Format(at) } : null,
                OwnerReferences = [OwnerReferences.Controlling(service)],
            },
            AddressType = v6 ? "IPv6" : "IPv4",
        };
    }

    private void EnqueueFor(params Pod[] pods)
    {
        foreach (var service in ServicePods.Selecting(_services.Store.List(pods[0].Metadata.Namespace), pods)) Queue.Add(KubeKey.Of(service));
    }

    private static string? ZoneOf(Node? node) => node?.Metadata.Labels?.GetValueOrDefault("topology.kubernetes.io/zone");
}
