using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Keeps the status of ResourceQuotas: the limits as they are in force, and what is used. Pods, Services and claims are counted from caches; other objects
/// by a list of their metadata. Admission adds to the status at once; this sets it right, above all after deletions. Keys are quotas.
/// </summary>
internal sealed class ResourceQuotaController : ClusterController
{
    /// <summary>Objects that are only counted are not watched: this is how late their deletion may be seen.</summary>
    private static readonly TimeSpan _counting = TimeSpan.FromMinutes(1);

    private static readonly Dictionary<string, ApiResource> _byShortName = new(StringComparer.Ordinal)
    {
        ["configmaps"] = ApiResource.Of<ConfigMap>(),
        ["secrets"] = ApiResource.Of<Secret>(),
        ["replicationcontrollers"] = ApiResource.Of<ReplicationController>(),
        ["resourcequotas"] = ApiResource.Of<ResourceQuota>(),
    };

    private readonly ServedKinds _kinds;
    private readonly TimeSpan _resync;
    private readonly Informer<ResourceQuota> _quotas;
    private readonly Informer<Pod> _pods;
    private readonly Informer<Service> _services;
    private readonly Informer<PersistentVolumeClaim> _claims;

    public ResourceQuotaController(ControllerContext context) : base("resourcequota-controller", "resourcequota-controller", context)
    {
        _kinds = new ServedKinds(context.Root);
        _resync = context.Options.ResourceQuotaSyncPeriod;
        _quotas = Watch<ResourceQuota>();
        _pods = Watch<Pod>().AddPodIndexes();
        _services = Watch<Service>();
        _claims = Watch<PersistentVolumeClaim>();
        _quotas.AddHandler(q => Queue.Add(KubeKey.Of(q)), (_, q) => Queue.Add(KubeKey.Of(q)));
        _pods.AddHandler(updated: (old, now) => { if (PodState.IsFinished(old) != PodState.IsFinished(now)) Changed(now); }, deleted: Changed);
        _services.AddHandler(updated: (_, s) => Changed(s), deleted: Changed);
        _claims.AddHandler(updated: (_, c) => Changed(c), deleted: Changed);
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_quotas.Store.Get(key) is not { } quota || quota.Metadata.DeletionTimestamp is not null) return;
        var hard = quota.Spec.Hard ?? [];
        var used = hard.Keys.ToDictionary(name => name, _ => Quantity.Parse("0"), StringComparer.Ordinal);
        var now = Time.GetUtcNow();
        var ns = quota.Metadata.Namespace;
        foreach (var pod in _pods.Store.List(ns).Where(p => QuotaUsage.Counts(p, now) && QuotaUsage.InScope(quota, p))) QuotaUsage.Add(used, pod);
        foreach (var service in _services.Store.List(ns)) QuotaUsage.Add(used, service);
        foreach (var claim in _claims.Store.List(ns).Where(c => QuotaUsage.InScope(quota, c))) QuotaUsage.Add(used, claim);
        foreach (var name in hard.Keys)
        {
            if (await ResourceOfAsync(name, cancellationToken) is { } resource) used[name] = Quantity.Parse($"{(await Client.ListAsync<PartialObjectMetadata>(resource, ns, null, cancellationToken)).Items.Count}");
        }
        var changed = quota.Clone();
        changed.Status = new ResourceQuotaStatus { Hard = new Dictionary<string, Quantity>(hard, StringComparer.Ordinal), Used = used };
        if (!ApiStruct.DeepEquals(changed.Status, quota.Status)) await Client.UpdateStatusAsync(changed, cancellationToken);
        Queue.AddAfter(key, _resync < _counting ? _resync : _counting);
    }

    /// <summary>The resource of an object count that no cache has: configmaps, count/deployments.apps, count/widgets.example.com, ...</summary>
    private async Task<ApiResource?> ResourceOfAsync(string name, CancellationToken ct)
    {
        if (_byShortName.TryGetValue(name, out var known)) return known;
        if (!name.StartsWith("count/", StringComparison.Ordinal) || name is "count/pods" or "count/services" or "count/persistentvolumeclaims") return null;
        var text = name["count/".Length..];
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        return await (dot < 0 ? _kinds.FindPluralAsync("", text, ct) : _kinds.FindPluralAsync(text[(dot + 1)..], text[..dot], ct)) is { Namespaced: true } resource ? resource : null;
    }

    private void Changed(KubeObject obj)
    {
        foreach (var quota in _quotas.Store.List(obj.Metadata.Namespace)) Queue.Add(KubeKey.Of(quota));
    }
}
