using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Hardway.Api.Meta.V1;
using Hardway.Client;
using Microsoft.Extensions.Logging;

namespace Hardway.ControllerManager;

/// <summary>
/// Deletes what nobody owns any more. Every resource that can be listed, watched and deleted, custom ones too (discovery is asked again every 30 s), feeds
/// the <see cref="OwnershipGraph"/>. For an object that must be looked at:
/// <code>
/// all owners gone                         delete it, in the way its own finalizers say
/// some owner lives, others do not         drop the references to those
/// an owner waits for it (foreground)      delete it in the foreground
/// itself waits, and nothing blocks it     drop its finalizer foregroundDeletion
/// finalizer orphan                        take its reference out of all dependents, then drop the finalizer
/// </code>
/// Absence of an owner is always confirmed by a live read. Keys are UIDs; those to orphan have the prefix "orphan:".
/// </summary>
internal sealed partial class GarbageCollectorController : Controller
{
    private const string OrphanPrefix = "orphan:";
    private static readonly TimeSpan _resync = TimeSpan.FromSeconds(30);
    private static readonly HashSet<string> _ignored = new(StringComparer.Ordinal) { "events", "events.events.k8s.io" };

    private readonly KubeClient _client;
    private readonly KubeClient _root;
    private readonly ILoggerFactory _logs;
    private readonly InformerFactory _informers;
    private readonly EventRecorder _events;
    private readonly OwnershipGraph _graph;
    private readonly Dictionary<ApiResource, Monitor> _monitors = [];
    private ConcurrentDictionary<(string ApiVersion, string Kind), ApiResource> _byKind = new();

    /// <summary>Where a resource's objects are seen: an informer of another controller, which is not ours to stop, or one of metadata alone.</summary>
    private sealed record Monitor(Informer<PartialObjectMetadata>? Own, CancellationTokenSource? Stop, Task Task);

    public GarbageCollectorController(ControllerContext context)
        : base("garbage-collector-controller", context.Logs, context.Time, context.Metrics)
    {
        _client = context.ClientFor("generic-garbage-collector");
        _root = context.Root;
        _logs = context.Logs;
        _informers = context.Informers;
        _events = context.EventsFor("garbage-collector-controller", "generic-garbage-collector");
        _graph = new OwnershipGraph { ToDelete = Queue.Add, ToOrphan = uid => Queue.Add(OrphanPrefix + uid), ResourceOf = (version, kind) => _byKind.GetValueOrDefault((version, kind)) };
        context.Metrics.Gauge("garbagecollector_controller_resources", "Resources that are watched for owners.", () => _monitors.Count);
    }

    public override async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(MonitorAsync(cancellationToken), base.RunAsync(cancellationToken));
    }

    public override Task ReconcileAsync(string key, CancellationToken cancellationToken) =>
        key.StartsWith(OrphanPrefix, StringComparison.Ordinal) ? OrphanAsync(key[OrphanPrefix.Length..], cancellationToken) : DeleteIfUnownedAsync(key, cancellationToken);

    private async Task MonitorAsync(CancellationToken ct)
    {
        try
        {
            while (true)
            {
                try { await SyncMonitorsAsync(ct); }
                catch (Exception e) when (e is ApiException or HttpRequestException or IOException) { LogDiscovery(Log, e.Message); }
                await Task.Delay(_resync, Time, ct);
            }
        }
        finally
        {
            foreach (var monitor in _monitors.Values) await StopAsync(monitor);
            _monitors.Clear();
        }
    }

    private async Task SyncMonitorsAsync(CancellationToken ct)
    {
        var discovery = await Discovery.AllAsync(_root, ct);
        var byKind = new ConcurrentDictionary<(string, string), ApiResource>(discovery.Failed.Count > 0 ? _byKind : []);
        // References may name any version; each resource is watched once, in the version that comes first.
        Dictionary<(string Group, string Plural), DiscoveredResource> preferred = [];
        foreach (var found in discovery.Resources) preferred.TryAdd((found.Resource.Group, found.Resource.Plural), found);
        foreach (var found in discovery.Resources) byKind[(found.Resource.ApiVersion, found.Resource.Kind)] = preferred[(found.Resource.Group, found.Resource.Plural)].Resource;
        _byKind = byKind;
        var wanted = preferred.Values.Where(r => r.Can("list", "watch", "delete") && !_ignored.Contains(NameOf(r.Resource))).Select(r => r.Resource).ToHashSet();
        foreach (var resource in wanted.Where(r => !_monitors.ContainsKey(r))) _monitors[resource] = Start(resource, ct);
        foreach (var resource in _monitors.Keys.Where(r => !wanted.Contains(r) && !discovery.Failed.Contains(r.ApiVersion)).ToList())
        {
            _monitors.Remove(resource, out var monitor);
            await StopAsync(monitor!);
            foreach (var obj in monitor!.Own?.Store.List() ?? []) _graph.Forget(obj.Metadata.Uid);
        }
    }

    private Monitor Start(ApiResource resource, CancellationToken ct)
    {
        if (_informers.Find(resource) is { } shared)
        {
            shared.AddMetadataHandler(m => _graph.Observe(resource, m), m => _graph.Forget(m.Uid));
            return new Monitor(null, null, Task.CompletedTask);
        }
        var informer = new Informer<PartialObjectMetadata>(_root, _logs, new InformerOptions { Trim = Trim }, resource);
        informer.AddMetadataHandler(m => _graph.Observe(resource, m), m => _graph.Forget(m.Uid));
        var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        return new Monitor(informer, stop, Task.Run(() => informer.RunAsync(stop.Token), CancellationToken.None));
    }

    /// <summary>The graph needs identity, owners, finalizers and the time of deletion; the rest would only fill memory.</summary>
    private static void Trim(Api.KubeObject obj)
    {
        var meta = obj.Metadata;
        (meta.Labels, meta.Annotations, meta.GenerateName, meta.SelfLink) = (null, null, "", "");
    }

    private static async Task StopAsync(Monitor monitor)
    {
        if (monitor.Stop is not { } stop) return;
        await stop.CancelAsync();
        await monitor.Task;
        stop.Dispose();
    }

    private async Task DeleteIfUnownedAsync(string uid, CancellationToken ct)
    {
        if (_graph.Snapshot(uid) is not var (node, dependents) || node.Resource is not { } resource) return;
        if (node.IsBeingDeleted && !node.IsDeletingDependents) return;
        var live = await _client.TryGetAsync<PartialObjectMetadata>(resource, node.Namespace, node.Name, ct);
        if (live is null || live.Metadata.Uid != uid)
        {
            _graph.Forget(uid);
            return;
        }
        if (node.IsDeletingDependents)
        {
            await FinishForegroundAsync(node, dependents, live, ct);
            return;
        }
        if (live.Metadata.OwnerReferences is not { Count: > 0 } owners || live.Metadata.DeletionTimestamp is not null) return;
        var (solid, gone, waiting) = await ClassifyAsync(live, owners, ct);
        if (solid.Count > 0)
        {
            if (gone.Count + waiting.Count > 0) await DropOwnersAsync(resource, live, gone.Concat(waiting), ct);
            return;
        }
        var policy = waiting.Count > 0 && dependents.Count > 0 ? "Foreground"
            : live.Metadata.Finalizers?.Contains(OwnershipGraph.OrphanFinalizer) == true ? "Orphan"
            : live.Metadata.Finalizers?.Contains(OwnershipGraph.ForegroundFinalizer) == true ? "Foreground" : "Background";
        if (policy == "Foreground") await UnblockCyclesAsync(node, dependents, ct);
        LogDeleting(Log, resource.Plural, KubeKey.Of(node.Namespace, node.Name), policy);
        await _client.DeleteAsync(resource, node.Namespace, node.Name, new DeleteOptions { PropagationPolicy = policy, Preconditions = new Preconditions { Uid = uid, ResourceVersion = live.Metadata.ResourceVersion } }, ct);
    }

    private async Task<(List<OwnerReference> Solid, List<OwnerReference> Gone, List<OwnerReference> Waiting)> ClassifyAsync(PartialObjectMetadata live, List<OwnerReference> owners, CancellationToken ct)
    {
        List<OwnerReference> solid = [], gone = [], waiting = [];
        foreach (var owner in owners)
        {
            if (_byKind.GetValueOrDefault((owner.ApiVersion, owner.Kind)) is not { } resource)
            {
                // Another version of a known group may be meant; an unknown kind cannot be judged and counts as living.
                solid.Add(owner);
                continue;
            }
            if (resource.Namespaced && live.Metadata.Namespace.Length == 0)
            {
                // What has no namespace cannot be owned by what has one: which would it be?
                TellWrongNamespace(live, owner);
                solid.Add(owner);
                continue;
            }
            var found = await _client.TryGetAsync<PartialObjectMetadata>(resource, live.Metadata.Namespace, owner.Name, ct);
            if (found is null || found.Metadata.Uid != owner.Uid)
            {
                if (_graph.NamespaceOf(owner.Uid) is { } elsewhere && elsewhere != live.Metadata.Namespace && resource.Namespaced) TellWrongNamespace(live, owner);
                gone.Add(owner);
            }
            else if (found.Metadata.DeletionTimestamp is not null && found.Metadata.Finalizers?.Contains(OwnershipGraph.ForegroundFinalizer) == true) waiting.Add(owner);
            else solid.Add(owner);
        }
        return (solid, gone, waiting);
    }

    private void TellWrongNamespace(PartialObjectMetadata live, OwnerReference owner) =>
        _events.Warning(live, "OwnerRefInvalidNamespace", $"ownerRef [{owner.ApiVersion}/{owner.Kind}, name: {owner.Name}, uid: {owner.Uid}] does not exist in namespace \"{live.Metadata.Namespace}\"");

    private async Task FinishForegroundAsync(GraphNode node, List<GraphNode> dependents, PartialObjectMetadata live, CancellationToken ct)
    {
        if (live.Metadata.Finalizers?.Contains(OwnershipGraph.ForegroundFinalizer) != true) return;
        var blocking = dependents.Where(d => d.Owners.Exists(o => o.Uid == node.Uid && o.BlockOwnerDeletion == true)).ToList();
        if (blocking.Count == 0)
        {
            await DropFinalizerAsync(node.Resource!, live, OwnershipGraph.ForegroundFinalizer, ct);
            return;
        }
        foreach (var dependent in blocking.Where(d => !d.IsDeletingDependents)) Queue.Add(dependent.Uid);
    }

    private async Task OrphanAsync(string uid, CancellationToken ct)
    {
        if (_graph.Snapshot(uid) is not var (node, dependents) || node.Resource is not { } resource) return;
        foreach (var dependent in dependents.Where(d => d.Resource is not null)) await DropOwnerAsync(dependent, uid, ct);
        if (await _client.TryGetAsync<PartialObjectMetadata>(resource, node.Namespace, node.Name, ct) is { } live && live.Metadata.Uid == uid && live.Metadata.Finalizers?.Contains(OwnershipGraph.OrphanFinalizer) == true)
            await DropFinalizerAsync(resource, live, OwnershipGraph.OrphanFinalizer, ct);
    }

    /// <summary>A dependent that is itself waiting for this object would wait for ever.</summary>
    private async Task UnblockCyclesAsync(GraphNode node, List<GraphNode> dependents, CancellationToken ct)
    {
        foreach (var dependent in dependents.Where(d => d.IsDeletingDependents && d.Resource is not null)) await DropOwnerAsync(dependent, node.Uid, ct);
    }

    private async Task DropOwnerAsync(GraphNode dependent, string ownerUid, CancellationToken ct)
    {
        if (await _client.TryGetAsync<PartialObjectMetadata>(dependent.Resource!, dependent.Namespace, dependent.Name, ct) is not { } live || live.Metadata.Uid != dependent.Uid) return;
        await DropOwnersAsync(dependent.Resource!, live, (live.Metadata.OwnerReferences ?? []).Where(o => o.Uid == ownerUid), ct);
    }

    private Task DropOwnersAsync(ApiResource resource, PartialObjectMetadata live, IEnumerable<OwnerReference> dropped, CancellationToken ct)
    {
        var uids = dropped.Select(o => o.Uid).ToHashSet(StringComparer.Ordinal);
        if (uids.Count == 0) return Task.CompletedTask;
        var kept = new JsonArray([.. live.Metadata.OwnerReferences!.Where(o => !uids.Contains(o.Uid)).Select(o => JsonNode.Parse(Api.ApiJson.Serialize(o)))]);
        return PatchMetadataAsync(resource, live, new JsonObject { ["ownerReferences"] = kept }, ct);
    }

    private Task DropFinalizerAsync(ApiResource resource, PartialObjectMetadata live, string finalizer, CancellationToken ct) =>
        PatchMetadataAsync(resource, live, new JsonObject { ["finalizers"] = new JsonArray([.. live.Metadata.Finalizers!.Where(f => f != finalizer).Select(f => (JsonNode)f)]) }, ct);

    /// <summary>A merge patch on the version that was read: it works for every resource, and a change in between is a conflict.</summary>
    private async Task PatchMetadataAsync(ApiResource resource, PartialObjectMetadata live, JsonObject metadata, CancellationToken ct)
    {
        metadata["resourceVersion"] = live.Metadata.ResourceVersion;
        metadata["uid"] = live.Metadata.Uid;
        var patch = new JsonObject { ["metadata"] = metadata };
        try
        {
            await _client.PatchAsync<PartialObjectMetadata>(resource, live.Metadata.Namespace, live.Metadata.Name, PatchType.Merge, Encoding.UTF8.GetBytes(patch.ToJsonString()), ct);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
        }
    }

    private static string NameOf(ApiResource resource) => resource.Group.Length == 0 ? resource.Plural : $"{resource.Plural}.{resource.Group}";

    [LoggerMessage(Level = LogLevel.Information, Message = "deleting {Resource} {Key}: its owners are gone ({Policy})")]
    private static partial void LogDeleting(ILogger logger, string resource, string key, string policy);

    [LoggerMessage(Level = LogLevel.Warning, Message = "discovery failed: {Reason}")]
    private static partial void LogDiscovery(ILogger logger, string reason);
}
