using Hardway.Api.Discovery.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// The EndpointSlices of Services that one manager keeps: found by Service, written by a <see cref="SlicePlan"/>, and told apart from what the cache has not
/// shown yet. For any number of Services; each Service is one worker's at a time.
/// </summary>
internal sealed class ServiceSlices
{
    public const string ServiceName = "kubernetes.io/service-name";
    public const string ManagedBy = "endpointslice.kubernetes.io/managed-by";
    public const string TriggerTime = "endpoints.kubernetes.io/last-change-trigger-time";
    private const string ByService = "service";
    private readonly KubeClient _client;
    private readonly string _manager;
    private readonly Informer<EndpointSlice> _slices;
    private readonly WrittenVersions _written = new();

    /// <param name="client">Who writes.</param>
    /// <param name="slices">The shared informer.</param>
    /// <param name="manager">The value of the label managed-by; slices of others are not touched.</param>
    /// <param name="changed">Told the Service of a slice of ours that somebody else changed.</param>
    public ServiceSlices(KubeClient client, Informer<EndpointSlice> slices, string manager, Action<string> changed)
    {
        (_client, _slices, _manager) = (client, slices, manager);
        slices.Store.AddIndex(ByService, s => s.Metadata.Labels?.GetValueOrDefault(ServiceName) is { } name ? [KubeKey.Of(s.Metadata.Namespace, name)] : []);
        slices.AddHandler(Tell, (old, now) => { if (old.Metadata.Generation != now.Metadata.Generation || _written.IsOpen(KeyOf(now))) Tell(now); }, s => { _written.DeletionSeen(KeyOf(s), s); Tell(s); });

        void Tell(EndpointSlice slice)
        {
            if (IsMine(slice)) changed(KeyOf(slice));
        }
    }

    /// <summary>The Service's slices that are ours and stay; null: the cache has not shown yet what was written last, its change brings the next look.</summary>
    public List<EndpointSlice>? Of(string service)
    {
        var mine = _slices.Store.ByIndex(ByService, service).Where(s => IsMine(s) && s.Metadata.DeletionTimestamp is null).ToList();
        return _written.Seen(service, mine) ? mine : null;
    }

    public void Forget(string service) => _written.Forget(service);

    public async Task ApplyAsync(string service, SlicePlan plan, CancellationToken ct)
    {
        try
        {
            foreach (var slice in plan.Create) _written.Wrote(service, await _client.CreateAsync(slice, ct));
            foreach (var slice in plan.Update) _written.Wrote(service, await _client.UpdateAsync(slice, ct));
            await DeleteAsync(service, plan.Delete, ct);
        }
        catch (ApiException e) when (e.IsNamespaceTerminating)
        {
            // The namespace takes them with it.
        }
    }

    public async Task DeleteAsync(string service, IEnumerable<EndpointSlice> slices, CancellationToken ct)
    {
        foreach (var slice in slices)
        {
            if (await _client.DeleteAsync<EndpointSlice>(slice.Metadata.Namespace, slice.Metadata.Name, new DeleteOptions { Preconditions = new Preconditions { Uid = slice.Metadata.Uid } }, ct)) _written.Deleted(service, slice);
        }
    }

    private bool IsMine(EndpointSlice slice) => slice.Metadata.Labels?.GetValueOrDefault(ManagedBy) == _manager;

    private static string KeyOf(EndpointSlice slice) => KubeKey.Of(slice.Metadata.Namespace, slice.Metadata.Labels?.GetValueOrDefault(ServiceName) ?? "");
}
