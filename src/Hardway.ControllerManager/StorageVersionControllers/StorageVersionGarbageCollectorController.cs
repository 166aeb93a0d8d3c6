using Hardway.Api;
using Hardway.Api.Coordination.V1;
using Hardway.Api.Internal.V1Alpha1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Drops from StorageVersions what API servers said that are gone (their identity Lease is missing), and StorageVersions about which no server says
/// anything any more. Keys are StorageVersions.
/// </summary>
internal sealed class StorageVersionGarbageCollectorController : ClusterController
{
    private const string LeaseNamespace = "kube-system", Component = "apiserver.kubernetes.io/identity";
    private readonly Informer<StorageVersion> _versions;
    private readonly Informer<Lease> _leases;

    public StorageVersionGarbageCollectorController(ControllerContext context) : base("storageversion-garbage-collector-controller", "storage-version-garbage-collector", context)
    {
        Workers = 1;
        _versions = Watch<StorageVersion>();
        _leases = Watch<Lease>();
        _versions.AddHandler(v => Queue.Add(v.Metadata.Name), (_, v) => Queue.Add(v.Metadata.Name));
        _leases.AddHandler(deleted: l => { if (IsServer(l)) EnqueueAll(); });
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_versions.Store.Get(key)?.Clone() is not { } version || version.Status.StorageVersions is not { Count: > 0 } said) return;
        List<ServerStorageVersion> kept = [];
        foreach (var one in said)
        {
            if (await IsAliveAsync(one.ApiServerID, cancellationToken)) kept.Add(one);
        }
        if (kept.Count == said.Count) return;
        if (kept.Count == 0)
        {
            await Client.DeleteAsync<StorageVersion>(null, key, null, cancellationToken);
            return;
        }
        version.Status.StorageVersions = kept;
        var encodings = kept.Select(k => k.EncodingVersion).Distinct(StringComparer.Ordinal).ToList();
        version.Status.CommonEncodingVersion = encodings.Count == 1 ? encodings[0] : null;
        await Client.UpdateStatusAsync(version, cancellationToken);
    }

    /// <summary>What the cache does not have is asked for: a server that just came must not lose its word.</summary>
    private async Task<bool> IsAliveAsync(string server, CancellationToken ct) =>
        _leases.Store.Get(LeaseNamespace, server) is not null || await Client.TryGetAsync<Lease>(LeaseNamespace, server, ct) is not null;

    private static bool IsServer(Lease lease) => lease.Metadata.Namespace == LeaseNamespace && lease.Metadata.Labels?.GetValueOrDefault(Component) == "kube-apiserver";

    private void EnqueueAll()
    {
        foreach (var key in _versions.Store.Keys()) Queue.Add(key);
    }
}
