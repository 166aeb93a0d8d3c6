using System.Net;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.Client;
using Hardway.Dns.Records;
using Hardway.Dns.Wire;
using Microsoft.Extensions.Logging;

namespace Hardway.Dns;

/// <summary>
/// Follows Services, EndpointSlices and Namespaces and keeps the index. Handlers of the three informers meet in one lock; readers take
/// <see cref="Index"/> without one.
/// </summary>
internal sealed class ClusterWatch
{
    private const string ByService = "service";
    private const string ServiceNameLabel = "kubernetes.io/service-name";
    private readonly Informer<Service> _services;
    private readonly Informer<EndpointSlice> _slices;
    private readonly Informer<Namespace> _namespaces;
    private readonly ClusterZone _zone;
    private readonly Lock _lock = new();
    private volatile ClusterIndex _index = ClusterIndex.Empty;

    public ClusterWatch(KubeClient client, ILoggerFactory logs, ClusterZone zone)
    {
        _zone = zone;
        _services = new Informer<Service>(client, logs);
        _slices = new Informer<EndpointSlice>(client, logs);
        _namespaces = new Informer<Namespace>(client, logs);
        _slices.Store.AddIndex(ByService, s => [ServiceOf(s)]);
        _services.AddHandler(service => Update(KubeKey.Of(service)));
        _slices.AddHandler(slice => Update(ServiceOf(slice)));
        _namespaces.AddHandler(added: n => SetNamespace(n.Metadata.Name, true), deleted: n => SetNamespace(n.Metadata.Name, false));
    }

    public ClusterIndex Index => _index;

    public bool HasSynced => _services.HasSynced && _slices.HasSynced && _namespaces.HasSynced;

    public Task RunAsync(CancellationToken cancel) => Task.WhenAll(_services.RunAsync(cancel), _slices.RunAsync(cancel), _namespaces.RunAsync(cancel));

    private static string ServiceOf(EndpointSlice slice) =>
        KubeKey.Of(slice.Metadata.Namespace, slice.Metadata.Labels?.GetValueOrDefault(ServiceNameLabel) ?? "");

    private void SetNamespace(string name, bool exists)
    {
        lock (_lock)
        {
            _index = _index.WithNamespace(name, exists);
        }
    }

    private void Update(string serviceKey)
    {
        var (@namespace, name) = KubeKey.Split(serviceKey);
        lock (_lock)
        {
            var zone = _services.Store.TryGet(serviceKey, out var service) ? Zone(service) : null;
            _index = _index.WithService(new(@namespace, name), zone);
        }
    }

    private ServiceZone Zone(Service service)
    {
        var record = ServiceReader.Record(service);
        var endpoints = record.Headless ? _slices.Store.ByIndex(ByService, KubeKey.Of(service)).SelectMany(ServiceReader.Endpoints) : [];
        return ServiceZone.Build(record, endpoints, _zone.Domain, _zone.Ttl);
    }
}
