using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;
using EndpointPort = Hardway.Api.Discovery.V1.EndpointPort;

namespace Hardway.ControllerManager;

/// <summary>
/// Copies Endpoints that users keep by hand (Services without a selector) into EndpointSlices. Endpoints with the label skip-mirror, leader election records and
/// those of Services with a selector are left alone. Keys are Endpoints.
/// </summary>
internal sealed class EndpointSliceMirroringController : ClusterController
{
    private const string Manager = "endpointslicemirroring-controller.k8s.io";
    private const string SkipMirror = "endpointslice.kubernetes.io/skip-mirror";
    private readonly Informer<Service> _services;
    private readonly Informer<Endpoints> _endpoints;
    private readonly ServiceSlices _slices;
    private readonly int _most;

    public EndpointSliceMirroringController(ControllerContext context) : base("endpointslice-mirroring-controller", "endpointslicemirroring-controller", context)
    {
        _most = context.Options.MirroringMaxEndpointsPerSubset;
        _services = Watch<Service>();
        _endpoints = Watch<Endpoints>();
        _slices = new ServiceSlices(Client, Watch<EndpointSlice>(), Manager, Queue.Add);
        _services.AddHandler(s => Queue.Add(KubeKey.Of(s)));
        _endpoints.AddHandler(e => Queue.Add(KubeKey.Of(e)));
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_slices.Of(key) is not { } mine) return;
        if (_endpoints.Store.Get(key) is not { } endpoints || !ShouldMirror(endpoints, _services.Store.Get(key)))
        {
            await _slices.DeleteAsync(key, mine, cancellationToken);
            return;
        }
        foreach (var v6 in new[] { false, true })
        {
            var template = Template(endpoints, v6);
            var existing = mine.Where(s => s.AddressType == template.AddressType).ToList();
            var wanted = Wanted(endpoints, v6);
            if (wanted.Count > 0) await _slices.ApplyAsync(key, SlicePlan.Make(existing, wanted, template, _most), cancellationToken);
            else await _slices.DeleteAsync(key, existing, cancellationToken);
        }
    }

    private static bool ShouldMirror(Endpoints endpoints, Service? service) =>
        service is { Spec.Selector: null or { Count: 0 } } && endpoints.Metadata.DeletionTimestamp is null && endpoints.Metadata.Labels?.GetValueOrDefault(SkipMirror) != "true"
        && endpoints.Metadata.Annotations?.ContainsKey("control-plane.alpha.kubernetes.io/leader") != true;

    /// <summary>Endpoints by port set, as many of a subset as are mirrored.</summary>
    private Dictionary<string, (List<EndpointPort> Ports, List<Endpoint> Endpoints)> Wanted(Endpoints endpoints, bool v6)
    {
        Dictionary<string, (List<EndpointPort> Ports, List<Endpoint> Endpoints)> wanted = new(StringComparer.Ordinal);
        foreach (var subset in endpoints.Subsets ?? [])
        {
            var all = (subset.Addresses ?? []).Select(a => Convert(a, true)).Concat((subset.NotReadyAddresses ?? []).Select(a => Convert(a, false))).Take(_most).Where(e => ServicePods.IsV6(e.Addresses![0]) == v6).ToList();
            if (all.Count == 0) continue;
            var ports = (subset.Ports ?? []).ConvertAll(p => new EndpointPort { Name = p.Name, Port = p.Port, Protocol = p.Protocol.Length == 0 ? "TCP" : p.Protocol, AppProtocol = p.AppProtocol });
            var key = SlicePlan.KeyOf(ports);
            if (!wanted.TryGetValue(key, out var group)) wanted[key] = group = (ports, []);
            group.Endpoints.AddRange(all.Where(a => !group.Endpoints.Exists(e => e.Addresses![0] == a.Addresses![0])));
        }
        return wanted;
    }

    private static EndpointSlice Template(Endpoints endpoints, bool v6)
    {
        var labels = new Dictionary<string, string>(endpoints.Metadata.Labels ?? [], StringComparer.Ordinal) { [ServiceSlices.ServiceName] = endpoints.Metadata.Name, [ServiceSlices.ManagedBy] = Manager };
        labels.Remove(SkipMirror);
        var annotations = (endpoints.Metadata.Annotations ?? []).Where(a => a.Key is not ("kubectl.kubernetes.io/last-applied-configuration" or ServiceSlices.TriggerTime)).ToDictionary(a => a.Key, a => a.Value, StringComparer.Ordinal);
        return new EndpointSlice
        {
            Metadata = new ObjectMeta { Namespace = endpoints.Metadata.Namespace, GenerateName = endpoints.Metadata.Name + "-", Labels = labels, Annotations = annotations.Count > 0 ? annotations : null, OwnerReferences = [OwnerReferences.Controlling(endpoints)] },
            AddressType = v6 ? "IPv6" : "IPv4",
        };
    }

    private static Endpoint Convert(EndpointAddress address, bool ready) => new()
    {
        Addresses = [address.Ip],
        Conditions = new EndpointConditions { Ready = ready },
        Hostname = address.Hostname.Length > 0 ? address.Hostname : null,
        NodeName = address.NodeName,
        TargetRef = address.TargetRef,
    };
}
