using System.Globalization;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Empties a namespace that is being deleted and then lets it go:
/// <code>
/// 1 phase Terminating   2 discovery: every namespaced resource that can be deleted
/// 3 each: delete the collection, count what stays (finalizers, Pods in their grace period)   4 conditions say what is in the way
/// 5 something stays: look again soon; nothing stays: remove the finalizer "kubernetes" by /finalize
/// </code>
/// </summary>
internal sealed class NamespaceController : ClusterController
{
    private const string Finalizer = "kubernetes";
    private readonly Informer<Namespace> _namespaces;

    public NamespaceController(ControllerContext context) : base("namespace-controller", "namespace-controller", context)
    {
        _namespaces = Watch<Namespace>();
        _namespaces.AddHandler(Changed, (_, n) => Changed(n));
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (await Client.TryGetAsync<Namespace>(null, key, cancellationToken) is not { Metadata.DeletionTimestamp: not null } ns) return;
        if (ns.Spec.Finalizers?.Contains(Finalizer) != true) return;
        if (ns.Status.Phase != "Terminating")
        {
            ns.Status.Phase = "Terminating";
            ns = await Client.UpdateStatusAsync(ns, cancellationToken);
        }
        var leftover = await EmptyAsync(ns, cancellationToken);
        ns = await WriteConditionsAsync(ns, leftover, cancellationToken);
        if (leftover.Errors.Count > 0) throw new InvalidOperationException($"deletion of everything in namespace {key} failed: {string.Join("; ", leftover.Errors)}");
        if (leftover.Remaining.Count > 0)
        {
            Queue.AddAfter(key, leftover.Wait);
            return;
        }
        ns.Spec.Finalizers!.Remove(Finalizer);
        try
        {
            await Client.PutAsync(ns, "finalize", cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
        }
    }

    private sealed class Leftover
    {
        public SortedDictionary<string, int> Remaining { get; } = new(StringComparer.Ordinal);
        public SortedDictionary<string, int> Finalizers { get; } = new(StringComparer.Ordinal);
        public List<string> Errors { get; } = [];
        public List<string> DiscoveryFailures { get; } = [];
        public TimeSpan Wait { get; set; } = TimeSpan.FromSeconds(1);
    }

    private async Task<Leftover> EmptyAsync(Namespace ns, CancellationToken ct)
    {
        var leftover = new Leftover();
        var discovery = await Discovery.PreferredAsync(Client, ct);
        foreach (var failed in discovery.Failed)
        {
            leftover.DiscoveryFailures.Add(failed);
            leftover.Errors.Add($"unable to retrieve the complete list of server APIs: {failed}");
        }
        foreach (var resource in discovery.Resources)
        {
            if (!resource.Resource.Namespaced || !resource.Can("delete", "list")) continue;
            try
            {
                await EmptyOneAsync(ns.Metadata.Name, resource, leftover, ct);
            }
            catch (ApiException e) when (e.Code is 404 or 405)
            {
                // The resource went away since discovery.
            }
            catch (Exception e) when (e is ApiException or HttpRequestException)
            {
                leftover.Errors.Add($"{resource.Resource.Plural}: {e.Message}");
            }
        }
        return leftover;
    }

    private async Task EmptyOneAsync(string ns, DiscoveredResource found, Leftover leftover, CancellationToken ct)
    {
        var resource = found.Resource;
        var items = (await Client.ListAsync<PartialObjectMetadata>(resource, ns, null, ct)).Items;
        if (items.Count == 0) return;
        if (items.Exists(i => i.Metadata.DeletionTimestamp is null))
        {
            if (found.Can("deletecollection")) await Client.DeleteCollectionAsync(resource, ns, null, new DeleteOptions { PropagationPolicy = "Background" }, ct);
            else
            {
                foreach (var item in items) await Client.DeleteAsync(resource, ns, item.Metadata.Name, new DeleteOptions { PropagationPolicy = "Background" }, ct);
            }
            items = (await Client.ListAsync<PartialObjectMetadata>(resource, ns, null, ct)).Items;
        }
        if (items.Count == 0) return;
        leftover.Remaining[resource.Group.Length == 0 ? $"{resource.Plural}." : $"{resource.Plural}.{resource.Group}"] = items.Count;
        foreach (var finalizer in items.SelectMany(i => i.Metadata.Finalizers ?? [])) leftover.Finalizers[finalizer] = leftover.Finalizers.GetValueOrDefault(finalizer) + 1;
        if (resource is { Group: "", Plural: "pods" }) leftover.Wait = WaitFor(items);
    }

    /// <summary>Half the longest grace period that is left, within limits: most Pods are gone sooner.</summary>
    private TimeSpan WaitFor(List<PartialObjectMetadata> pods)
    {
        var longest = pods.Select(p => p.Metadata.DeletionTimestamp is { } at ? (at - Time.GetUtcNow()).TotalSeconds : 1).DefaultIfEmpty(1).Max();
        return TimeSpan.FromSeconds(Math.Clamp(longest / 2, 1, 15));
    }

    private async Task<Namespace> WriteConditionsAsync(Namespace ns, Leftover leftover, CancellationToken ct)
    {
        var before = ns.Status.Clone();
        var failed = leftover.DiscoveryFailures.Count > 0;
        Set(ns, "NamespaceDeletionDiscoveryFailure", failed, failed ? "DiscoveryFailed" : "ResourcesDiscovered", failed ? $"Discovery failed for some groups, {leftover.DiscoveryFailures.Count} failing: {string.Join(", ", leftover.DiscoveryFailures)}" : "All resources successfully discovered");
        Set(ns, "NamespaceDeletionGroupVersionParsingFailure", false, "ParsedGroupVersions", "All legacy kube types successfully parsed");
        var broken = leftover.Errors.Count > 0;
        Set(ns, "NamespaceDeletionContentFailure", broken, broken ? "ContentDeletionFailed" : "ContentDeleted", broken ? $"Failed to delete all resource types, {leftover.Errors.Count} remaining: {string.Join(", ", leftover.Errors)}" : "All content successfully deleted, may be waiting on finalization");
        var remain = leftover.Remaining.Count > 0;
        Set(ns, "NamespaceContentRemaining", remain, remain ? "SomeResourcesRemain" : "ContentRemoved", remain ? $"Some resources are remaining: {string.Join(", ", leftover.Remaining.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Key} has {r.Value} resource instances")))}" : "All content successfully removed");
        var held = leftover.Finalizers.Count > 0;
        Set(ns, "NamespaceFinalizersRemaining", held, held ? "SomeFinalizersRemain" : "ContentHasNoFinalizers", held ? $"Some content in the namespace has finalizers remaining: {string.Join(", ", leftover.Finalizers.Select(f => string.Create(CultureInfo.InvariantCulture, $"{f.Key} in {f.Value} resource instances")))}" : "All content-preserving finalizers finished");
        return ApiStruct.DeepEquals(before, ns.Status) ? ns : await Client.UpdateStatusAsync(ns, ct);
    }

    private void Set(Namespace ns, string type, bool value, string reason, string message)
    {
        var text = value ? "True" : "False";
        var conditions = ns.Status.Conditions ??= [];
        var current = conditions.Find(c => c.Type == type);
        if (current is null) conditions.Add(current = new NamespaceCondition { Type = type });
        if (current.Status == text && current.Reason == reason && current.Message == message) return;
        if (current.Status != text) current.LastTransitionTime = Time.GetUtcNow();
        (current.Status, current.Reason, current.Message) = (text, reason, message);
    }

    private void Changed(Namespace ns)
    {
        if (ns.Metadata.DeletionTimestamp is not null) Queue.Add(ns.Metadata.Name);
    }
}
