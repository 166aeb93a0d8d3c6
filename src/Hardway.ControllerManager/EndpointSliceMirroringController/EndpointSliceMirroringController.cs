using System.Net;
using System.Net.Sockets;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;
using EndpointPort = Hardway.Api.Discovery.V1.EndpointPort;

namespace Hardway.ControllerManager;

/// <summary>
/// Copies Endpoints that users keep by hand (Services without a selector) into EndpointSlices, one a subset and address family, named by subset so that
/// nothing is made twice. Endpoints with the label skip-mirror, leader election records and those of Services with a selector are left alone. Keys are Endpoints.
/// </summary>
internal sealed class EndpointSliceMirroringController : Controller
{
    private const string ServiceName = "kubernetes.io/service-name";
    private const string ManagedBy = "endpointslice.kubernetes.io/managed-by";
    private const string Manager = "endpointslicemirroring-controller.k8s.io";
    private const string SkipMirror = "endpointslice.kubernetes.io/skip-mirror";
    private const string ByService = "service";
    private const int MostAddresses = 1000;

    private readonly KubeClient _client;
    private readonly Informer<Service> _services;
    private readonly Informer<Endpoints> _endpoints;
    private readonly Informer<EndpointSlice> _slices;

    public EndpointSliceMirroringController(ControllerContext context)
        : base("endpointslice-mirroring-controller", context.Logs, context.Time, context.Metrics)
    {
        _client = context.ClientFor("endpointslicemirroring-controller");
        _services = Needs(context.Informers.Get<Service>());
        _endpoints = Needs(context.Informers.Get<Endpoints>());
        _slices = Needs(context.Informers.Get<EndpointSlice>());
        _slices.Store.AddIndex(ByService, s => s.Metadata.Labels?.GetValueOrDefault(ServiceName) is { } name ? [KubeKey.Of(s.Metadata.Namespace, name)] : []);
        _services.AddHandler(s => Queue.Add(KubeKey.Of(s)));
        _endpoints.AddHandler(e => Queue.Add(KubeKey.Of(e)));
        _slices.AddHandler(s => { if (IsMine(s)) Queue.Add(KubeKey.Of(s.Metadata.Namespace, s.Metadata.Labels![ServiceName])); });
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        var mine = _slices.Store.ByIndex(ByService, key).Where(IsMine).ToDictionary(s => s.Metadata.Name, StringComparer.Ordinal);
        var wanted = _endpoints.Store.Get(key) is { } endpoints && ShouldMirror(endpoints, _services.Store.Get(key)) ? Slices(endpoints) : [];
        foreach (var slice in wanted)
        {
            if (!mine.Remove(slice.Metadata.Name, out var old))
            {
                await CreateAsync(slice, cancellationToken);
                continue;
            }
            var changed = old.Clone();
            (changed.Endpoints, changed.Ports, changed.Metadata.Labels, changed.Metadata.OwnerReferences) = (slice.Endpoints, slice.Ports, slice.Metadata.Labels, slice.Metadata.OwnerReferences);
            if (!ApiStruct.DeepEquals(changed, old)) await _client.UpdateAsync(changed, cancellationToken);
        }
        foreach (var slice in mine.Values) await _client.DeleteAsync<EndpointSlice>(slice.Metadata.Namespace, slice.Metadata.Name, new DeleteOptions { Preconditions = new Preconditions { Uid = slice.Metadata.Uid } }, cancellationToken);
    }

    private async Task CreateAsync(EndpointSlice slice, CancellationToken ct)
    {
        try
        {
            await _client.CreateAsync(slice, ct);
        }
        catch (ApiException e) when (e.IsAlreadyExists || e.IsNamespaceTerminating)
        {
        }
    }

    private static bool IsMine(EndpointSlice slice) => slice.Metadata.Labels is { } labels && labels.GetValueOrDefault(ManagedBy) == Manager && labels.ContainsKey(ServiceName);

    private static bool ShouldMirror(Endpoints endpoints, Service? service) =>
        service is { Spec.Selector: null or { Count: 0 } } && endpoints.Metadata.DeletionTimestamp is null && endpoints.Metadata.Labels?.GetValueOrDefault(SkipMirror) != "true"
        && endpoints.Metadata.Annotations?.ContainsKey("control-plane.alpha.kubernetes.io/leader") != true;

    private static List<EndpointSlice> Slices(Endpoints endpoints)
    {
        List<EndpointSlice> slices = [];
        var number = 0;
        foreach (var subset in endpoints.Subsets ?? [])
        {
            foreach (var v6 in new[] { false, true })
            {
                var all = (subset.Addresses ?? []).Select(a => Convert(a, true)).Concat((subset.NotReadyAddresses ?? []).Select(a => Convert(a, false))).Where(e => IsV6(e.Addresses![0]) == v6).Take(MostAddresses).ToList();
                if (all.Count == 0) continue;
                slices.Add(new EndpointSlice { Metadata = Meta(endpoints, number, v6), AddressType = v6 ? "IPv6" : "IPv4", Endpoints = all, Ports = (subset.Ports ?? []).ConvertAll(p => new EndpointPort { Name = p.Name, Port = p.Port, Protocol = p.Protocol.Length == 0 ? "TCP" : p.Protocol, AppProtocol = p.AppProtocol }) });
            }
            number++;
        }
        return slices;
    }

    private static ObjectMeta Meta(Endpoints endpoints, int number, bool v6)
    {
        var labels = new Dictionary<string, string>(endpoints.Metadata.Labels ?? [], StringComparer.Ordinal) { [ServiceName] = endpoints.Metadata.Name, [ManagedBy] = Manager };
        labels.Remove(SkipMirror);
        return new ObjectMeta
        {
            Namespace = endpoints.Metadata.Namespace,
            Name = $"{endpoints.Metadata.Name}-mirror-{(v6 ? "v6-" : "")}{number}",
            Labels = labels,
            OwnerReferences = [OwnerReferences.Controlling(endpoints)],
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

    private static bool IsV6(string address) => IPAddress.TryParse(address, out var ip) && ip.AddressFamily == AddressFamily.InterNetworkV6;
}
