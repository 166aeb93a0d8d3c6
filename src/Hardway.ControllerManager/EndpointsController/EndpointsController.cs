using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>Keeps the Endpoints object of every Service with a selector, for readers of the older API. At most 1,000 addresses. Keys are Services.</summary>
internal sealed class EndpointsController : ClusterController
{
    private const int Most = 1000;
    private const string OverCapacity = "endpoints.kubernetes.io/over-capacity";
    private const string ManagedBy = "endpoints.kubernetes.io/managed-by";

    private readonly EventRecorder _events;
    private readonly Informer<Service> _services;
    private readonly Informer<Pod> _pods;
    private readonly Informer<Endpoints> _endpoints;

    public EndpointsController(ControllerContext context) : base("endpoints-controller", "endpoint-controller", context)
    {
        _events = EventsAs("endpoint-controller");
        _services = Watch<Service>();
        _pods = Watch<Pod>().AddPodIndexes();
        _endpoints = Watch<Endpoints>();
        _services.AddHandler(s => Queue.Add(KubeKey.Of(s)));
        _pods.AddHandler(p => EnqueueFor(p), (old, now) => { if (ServicePods.Differs(old, now)) EnqueueFor(old, now); }, p => EnqueueFor(p));
        _endpoints.AddHandler(added: e => Queue.Add(KubeKey.Of(e)), deleted: e => Queue.Add(KubeKey.Of(e)));
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        var current = _endpoints.Store.Get(key);
        if (_services.Store.Get(key) is not { } service)
        {
            if (current?.Metadata.Labels?.GetValueOrDefault(ManagedBy) == "endpoint-controller")
                await Client.DeleteAsync<Endpoints>(current.Metadata.Namespace, current.Metadata.Name, new DeleteOptions { Preconditions = new Preconditions { Uid = current.Metadata.Uid } }, cancellationToken);
            return;
        }
        if (service.Spec.Type == "ExternalName" || service.Spec.Selector is not { Count: > 0 } map) return;
        var selector = Selector.FromMap(map);
        var pods = _pods.Store.List(service.Metadata.Namespace).Where(p => selector.Matches(p.Metadata.Labels) && ServicePods.MayServe(p, service.Spec.PublishNotReadyAddresses)).ToList();
        var wanted = current?.Clone() ?? new Endpoints { Metadata = new ObjectMeta { Namespace = service.Metadata.Namespace, Name = service.Metadata.Name } };
        var truncated = pods.Count > Most;
        wanted.Subsets = Subsets(service, pods.OrderByDescending(PodState.IsReady).Take(Most));
        wanted.Metadata.Labels = new Dictionary<string, string>(service.Metadata.Labels ?? [], StringComparer.Ordinal) { [ManagedBy] = "endpoint-controller" };
        if (ServicePods.IsHeadless(service)) wanted.Metadata.Labels["service.kubernetes.io/headless"] = "";
        var annotations = wanted.Metadata.Annotations ??= new Dictionary<string, string>(StringComparer.Ordinal);
        if (truncated) annotations[OverCapacity] = "truncated";
        else annotations.Remove(OverCapacity);
        if (current is not null && ApiStruct.DeepEquals(current, wanted)) return;
        annotations["endpoints.kubernetes.io/last-change-trigger-time"] = ApiTime.Format(Time.GetUtcNow());
        try
        {
            if (current is null) await Client.CreateAsync(wanted, cancellationToken);
            else await Client.UpdateAsync(wanted, cancellationToken);
        }
        catch (ApiException e) when (e.IsNamespaceTerminating)
        {
        }
        catch (ApiException e) when (!e.IsConflict && !e.IsAlreadyExists)
        {
            _events.Warning(service, current is null ? "FailedToCreateEndpoint" : "FailedToUpdateEndpoint", $"Failed to update endpoint {key}: {e.Message}");
            throw;
        }
    }

    /// <summary>One subset a port set, its addresses sorted, ready ones apart.</summary>
    private static List<EndpointSubset>? Subsets(Service service, IEnumerable<Pod> pods)
    {
        SortedDictionary<string, EndpointSubset> subsets = new(StringComparer.Ordinal);
        var v6 = ServicePods.FamiliesV6(service).First();
        foreach (var pod in pods.OrderBy(p => p.Metadata.Uid, StringComparer.Ordinal))
        {
            if (ServicePods.Address(pod, v6) is not { } ip) continue;
            var ports = ServicePods.Ports(service, pod).ConvertAll(p => new EndpointPort { Name = p.Port.Name, Port = p.Target, Protocol = p.Port.Protocol.Length == 0 ? "TCP" : p.Port.Protocol, AppProtocol = p.Port.AppProtocol });
            if (ports.Count == 0 && !ServicePods.IsHeadless(service)) continue;
            var key = string.Join(';', ports.Select(p => $"{p.Name}/{p.Protocol}/{p.Port}"));
            if (!subsets.TryGetValue(key, out var subset)) subsets[key] = subset = new EndpointSubset { Ports = ports.Count > 0 ? ports : null };
            var address = new EndpointAddress { Ip = ip, Hostname = ServicePods.Hostname(service, pod) ?? "", NodeName = pod.Spec.NodeName.Length > 0 ? pod.Spec.NodeName : null, TargetRef = ServicePods.Reference(pod) };
            if (service.Spec.PublishNotReadyAddresses || PodState.IsReady(pod)) (subset.Addresses ??= []).Add(address);
            else (subset.NotReadyAddresses ??= []).Add(address);
        }
        foreach (var subset in subsets.Values)
        {
            subset.Addresses?.Sort((a, b) => string.CompareOrdinal(a.Ip, b.Ip));
            subset.NotReadyAddresses?.Sort((a, b) => string.CompareOrdinal(a.Ip, b.Ip));
        }
        return subsets.Count == 0 ? null : [.. subsets.Values];
    }

    private void EnqueueFor(params Pod[] pods)
    {
        foreach (var service in ServicePods.Selecting(_services.Store.List(pods[0].Metadata.Namespace), pods)) Queue.Add(KubeKey.Of(service));
    }
}
