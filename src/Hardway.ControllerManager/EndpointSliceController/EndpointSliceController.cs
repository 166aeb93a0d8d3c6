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
internal sealed class EndpointSliceController : Controller
{
    private const string ServiceName = "kubernetes.io/service-name";
    private const string ManagedBy = "endpointslice.kubernetes.io/managed-by";
    private const string Manager = "endpointslice-controller.k8s.io";
    private const string Headless = "service.kubernetes.io/headless";
    private const string TriggerTime = "endpoints.kubernetes.io/last-change-trigger-time";
    private const string ByService = "service";

    private readonly KubeClient _client;
    private readonly EventRecorder _events;
    private readonly Informer<Service> _services;
    private readonly Informer<Pod> _pods;
    private readonly Informer<Node> _nodes;
    private readonly Informer<EndpointSlice> _slices;
    private readonly WrittenVersions _written = new();
    private readonly int _most;

    public EndpointSliceController(ControllerContext context)
        : base("endpointslice-controller", context.Logs, context.Time, context.Metrics)
    {
        _client = context.ClientFor("endpointslice-controller");
        _events = context.EventsFor("endpoint-slice-controller", "endpointslice-controller");
        _most = context.Options.MaxEndpointsPerSlice;
        _services = Needs(context.Informers.Get<Service>());
        _pods = Needs(context.Informers.Get<Pod>().AddPodIndexes());
        _nodes = Needs(context.Informers.Get<Node>());
        _slices = Needs(context.Informers.Get<EndpointSlice>());
        _slices.Store.AddIndex(ByService, s => s.Metadata.Labels?.GetValueOrDefault(ServiceName) is { } name ? [KubeKey.Of(s.Metadata.Namespace, name)] : []);
        _services.AddHandler(s => Queue.Add(KubeKey.Of(s)));
        _pods.AddHandler(p => EnqueueFor(p), (old, now) => { if (ServicePods.Differs(old, now)) EnqueueFor(old, now); }, p => EnqueueFor(p));
        _slices.AddHandler(SliceChanged, (old, now) => { if (old.Metadata.Generation != now.Metadata.Generation || _written.IsOpen(KeyOf(now))) SliceChanged(now); }, SliceDeleted);
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        var mine = _slices.Store.ByIndex(ByService, key).Where(s => s.Metadata.Labels?.GetValueOrDefault(ManagedBy) == Manager && s.Metadata.DeletionTimestamp is null).ToList();
        if (_services.Store.Get(key) is not { } service)
        {
            // The garbage collector removes the slices: the Service owns them.
            _written.Forget(key);
            return;
        }
        if (service.Spec.Type == "ExternalName" || service.Spec.Selector is not { Count: > 0 } map) return;
        if (!_written.Seen(key, mine)) return;
        var selector = Selector.FromMap(map);
        var pods = _pods.Store.List(service.Metadata.Namespace).Where(p => selector.Matches(p.Metadata.Labels) && ServicePods.MayServe(p, includeTerminating: true)).ToList();
        var families = ServicePods.FamiliesV6(service).ToList();
        foreach (var v6 in families)
        {
            var template = Template(service, v6, pods);
            var existing = mine.Where(s => s.AddressType == template.AddressType).ToList();
            await ApplyAsync(key, SlicePlan.Make(existing, Wanted(service, pods, v6), template, _most), cancellationToken);
        }
        foreach (var slice in mine.Where(s => !families.Contains(s.AddressType == "IPv6"))) await DeleteAsync(key, slice, cancellationToken);
    }

    private async Task ApplyAsync(string key, SlicePlan plan, CancellationToken ct)
    {
        try
        {
            foreach (var slice in plan.Create) _written.Wrote(key, await _client.CreateAsync(slice, ct));
            foreach (var slice in plan.Update) _written.Wrote(key, await _client.UpdateAsync(slice, ct));
            foreach (var slice in plan.Delete) await DeleteAsync(key, slice, ct);
        }
        catch (ApiException e) when (e.IsNamespaceTerminating)
        {
        }
        catch (ApiException e) when (!e.IsConflict)
        {
            if (_services.Store.Get(key) is { } service) _events.Warning(service, "FailedToUpdateEndpointSlices", $"Error updating Endpoint Slices for Service {key}: {e.Message}");
            throw;
        }
    }

    private async Task DeleteAsync(string key, EndpointSlice slice, CancellationToken ct)
    {
        if (await _client.DeleteAsync<EndpointSlice>(slice.Metadata.Namespace, slice.Metadata.Name, new DeleteOptions { Preconditions = new Preconditions { Uid = slice.Metadata.Uid } }, ct)) _written.Deleted(key, slice);
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
            Zone = _nodes.Store.Get(pod.Spec.NodeName)?.Metadata.Labels?.GetValueOrDefault("topology.kubernetes.io/zone"),
            TargetRef = ServicePods.Reference(pod),
        };
    }

    private static EndpointSlice Template(Service service, bool v6, List<Pod> pods)
    {
        var labels = new Dictionary<string, string>(service.Metadata.Labels ?? [], StringComparer.Ordinal);
        foreach (var reserved in labels.Keys.Where(l => l is Headless or ServiceName or ManagedBy).ToList()) labels.Remove(reserved);
        labels[ServiceName] = service.Metadata.Name;
        labels[ManagedBy] = Manager;
        if (ServicePods.IsHeadless(service)) labels[Headless] = "";
        var changed = pods.Select(p => PodState.Condition(p, "Ready")?.LastTransitionTime).Append(service.Metadata.CreationTimestamp).Max();
        return new EndpointSlice
        {
            Metadata = new ObjectMeta
            {
                Namespace = service.Metadata.Namespace,
                GenerateName = service.Metadata.Name + "-",
                Labels = labels,
                Annotations = changed is { } at ? new Dictionary<string, string>(StringComparer.Ordinal) { [TriggerTime] = ApiTime.Format(at) } : null,
                OwnerReferences = [OwnerReferences.Controlling(service)],
            },
            AddressType = v6 ? "IPv6" : "IPv4",
        };
    }

    private void EnqueueFor(params Pod[] pods)
    {
        foreach (var service in ServicePods.Selecting(_services.Store.List(pods[0].Metadata.Namespace), pods)) Queue.Add(KubeKey.Of(service));
    }

    private void SliceChanged(EndpointSlice slice)
    {
        if (slice.Metadata.Labels?.GetValueOrDefault(ManagedBy) == Manager) Queue.Add(KeyOf(slice));
    }

    private void SliceDeleted(EndpointSlice slice)
    {
        _written.DeletionSeen(KeyOf(slice), slice);
        SliceChanged(slice);
    }

    private static string KeyOf(EndpointSlice slice) => KubeKey.Of(slice.Metadata.Namespace, slice.Metadata.Labels?.GetValueOrDefault(ServiceName) ?? "");
}
