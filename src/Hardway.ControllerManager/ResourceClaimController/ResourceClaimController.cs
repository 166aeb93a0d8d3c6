using System.Text;
using System.Text.Json.Nodes;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Api.Resource.V1;
using Hardway.Client;
using ResourceClaim = Hardway.Api.Resource.V1.ResourceClaim;

namespace Hardway.ControllerManager;

/// <summary>
/// The life of ResourceClaims around their Pods (KEP-4381):
/// <code>
/// Pod:   make the claims of its templates, note their names in status.resourceClaimStatuses; reserve allocated claims for a Pod that has its node already
/// claim: drop reservations of Pods that ended or are gone; nobody left: give the devices back; made for a Pod that ended: remove it
/// </code>
/// Keys are Pods, and claims with the prefix "claim:".
/// </summary>
internal sealed class ResourceClaimController : ClusterController
{
    private const string ClaimPrefix = "claim:";
    private const string Finalizer = "resource.kubernetes.io/delete-protection";
    private readonly EventRecorder _events;
    private readonly Informer<Pod> _pods;
    private readonly Informer<ResourceClaim> _claims;
    private readonly Informer<ResourceClaimTemplate> _templates;

    /// <summary>Claims made whose creation the cache has not shown yet, by Pod UID and the Pod's name for it. One worker a Pod: no two make the same.</summary>
    private readonly System.Collections.Concurrent.ConcurrentDictionary<(string Pod, string Name), ResourceClaim> _made = new();

    public ResourceClaimController(ControllerContext context) : base("resourceclaim-controller", "resource-claim-controller", context)
    {
        _events = EventsAs("resource_claim");
        _pods = Watch<Pod>().AddPodIndexes();
        _claims = Watch<ResourceClaim>();
        _templates = Watch<ResourceClaimTemplate>();
        _pods.AddHandler(PodChanged, (_, p) => PodChanged(p), PodGone);
        _claims.AddHandler(ClaimChanged);
        _templates.AddHandler(added: TemplateAdded);
    }

    public override Task ReconcileAsync(string key, CancellationToken cancellationToken) =>
        key.StartsWith(ClaimPrefix, StringComparison.Ordinal) ? SyncClaimAsync(key[ClaimPrefix.Length..], cancellationToken) : SyncPodAsync(key, cancellationToken);

    private async Task SyncPodAsync(string key, CancellationToken ct)
    {
        if (_pods.Store.Get(key) is not { } pod || PodState.IsTerminating(pod) || PodResourceClaims.IsDone(pod)) return;
        var notes = new JsonArray();
        foreach (var reference in pod.Spec.ResourceClaims ?? [])
        {
            if (reference.ResourceClaimTemplateName is not { } template || pod.Status.ResourceClaimStatuses?.Exists(s => s.Name == reference.Name) == true) continue;
            if (await EnsureAsync(pod, reference.Name, template, ct) is { } claim) notes.Add((JsonNode)new JsonObject { ["name"] = reference.Name, ["resourceClaimName"] = claim.Metadata.Name });
        }
        if (notes.Count > 0)
        {
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid }, ["status"] = new JsonObject { ["resourceClaimStatuses"] = notes } };
            await Client.PatchAsync<Pod>(pod.Metadata.Namespace, pod.Metadata.Name, PatchType.StrategicMerge, Encoding.UTF8.GetBytes(patch.ToJsonString()), ct, "status");
        }
        if (pod.Spec.NodeName.Length > 0) await ReserveAsync(pod, ct);
    }

    private async Task<ResourceClaim?> EnsureAsync(Pod pod, string name, string templateName, CancellationToken ct)
    {
        if (_claims.Store.List(pod.Metadata.Namespace).FirstOrDefault(c => c.Metadata.DeletionTimestamp is null && PodResourceClaims.IsMadeFor(c, pod) && c.Metadata.Annotations?.GetValueOrDefault(PodResourceClaims.PodClaimName) == name) is { } existing) return existing;
        if (_made.TryGetValue((pod.Metadata.Uid, name), out var made)) return made;
        if (_templates.Store.Get(pod.Metadata.Namespace, templateName) is not { } template)
        {
            _events.Warning(pod, "FailedResourceClaimCreation", $"ResourceClaimTemplate \"{templateName}\" does not exist");
            return null;
        }
        var claim = new ResourceClaim
        {
            Metadata = new ObjectMeta
            {
                Namespace = pod.Metadata.Namespace,
                GenerateName = Prefix(pod.Metadata.Name, name),
                Labels = template.Spec.Metadata.Labels,
                Annotations = new Dictionary<string, string>(template.Spec.Metadata.Annotations ?? [], StringComparer.Ordinal) { [PodResourceClaims.PodClaimName] = name },
                OwnerReferences = [OwnerReferences.Controlling(pod)],
            },
            Spec = template.Spec.Spec.Clone(),
        };
        try
        {
            return _made[(pod.Metadata.Uid, name)] = await Client.CreateAsync(claim, ct);
        }
        catch (ApiException e)
        {
            _events.Warning(pod, "FailedResourceClaimCreation", $"the claim \"{name}\" cannot be made: {e.Message}");
            throw;
        }
    }

    /// <summary>Room for the five characters that the server adds, and for a name that stays a DNS label.</summary>
    private static string Prefix(string pod, string claim)
    {
        var text = $"{pod}-{claim}-";
        return text.Length <= 57 ? text : text[..56].TrimEnd('-', '.') + "-";
    }

    /// <summary>A Pod that was bound without the scheduler: it may only start when its claims are reserved for it.</summary>
    private async Task ReserveAsync(Pod pod, CancellationToken ct)
    {
        foreach (var name in PodResourceClaims.NamesOf(pod))
        {
            if (_claims.Store.Get(pod.Metadata.Namespace, name)?.Clone() is not { Status.Allocation: not null } claim || claim.Status.ReservedFor?.Exists(r => r.Uid == pod.Metadata.Uid) == true) continue;
            (claim.Status.ReservedFor ??= []).Add(PodResourceClaims.ConsumerOf(pod));
            await Client.UpdateStatusAsync(claim, ct);
        }
    }

    private async Task SyncClaimAsync(string key, CancellationToken ct)
    {
        if (_claims.Store.Get(key)?.Clone() is not { } claim) return;
        List<ResourceClaimConsumerReference> kept = [];
        foreach (var consumer in claim.Status.ReservedFor ?? [])
        {
            if (consumer.Resource != "pods" || consumer.ApiGroup.Length > 0 || await NeedsAsync(claim.Metadata.Namespace, consumer, ct)) kept.Add(consumer);
        }
        if (kept.Count < (claim.Status.ReservedFor?.Count ?? 0) || (kept.Count == 0 && claim.Metadata.DeletionTimestamp is not null && claim.Status.Allocation is not null))
        {
            claim.Status.ReservedFor = kept.Count > 0 ? kept : null;
            if (kept.Count == 0) claim.Status.Allocation = null;
            claim = await Client.UpdateStatusAsync(claim, ct);
        }
        if (kept.Count == 0 && claim.Status.Allocation is null && claim.Metadata.Finalizers?.Remove(Finalizer) == true) claim = await Client.UpdateAsync(claim, ct);
        if (kept.Count == 0 && claim.Metadata.DeletionTimestamp is null && PodResourceClaims.IsMade(claim) && OwnerReferences.ControllerOf(claim) is { Kind: "Pod" } owner && await IsOwnerDoneAsync(claim, owner, ct))
            await Client.DeleteAsync<ResourceClaim>(claim.Metadata.Namespace, claim.Metadata.Name, new DeleteOptions { Preconditions = new Preconditions { Uid = claim.Metadata.Uid } }, ct);
    }

    private async Task<bool> NeedsAsync(string ns, ResourceClaimConsumerReference consumer, CancellationToken ct)
    {
        var pod = _pods.Store.Get(ns, consumer.Name);
        if (pod is null || pod.Metadata.Uid != consumer.Uid) pod = await Client.TryGetAsync<Pod>(ns, consumer.Name, ct);
        return pod is not null && pod.Metadata.Uid == consumer.Uid && !PodResourceClaims.IsDone(pod);
    }

    private async Task<bool> IsOwnerDoneAsync(ResourceClaim claim, OwnerReference owner, CancellationToken ct)
    {
        // A Pod that is gone is the garbage collector's business; one that ended stays, and its devices should not.
        var pod = _pods.Store.Get(claim.Metadata.Namespace, owner.Name) ?? await Client.TryGetAsync<Pod>(claim.Metadata.Namespace, owner.Name, ct);
        return pod is not null && pod.Metadata.Uid == owner.Uid && PodResourceClaims.IsDone(pod);
    }

    private void PodChanged(Pod pod)
    {
        if (pod.Spec.ResourceClaims is not { Count: > 0 } && pod.Status.ExtendedResourceClaimStatus is null) return;
        if (PodResourceClaims.IsDone(pod)) PodGone(pod);
        else Queue.Add(KubeKey.Of(pod));
    }

    private void PodGone(Pod pod)
    {
        foreach (var name in PodResourceClaims.NamesOf(pod)) Queue.Add(ClaimPrefix + KubeKey.Of(pod.Metadata.Namespace, name));
        foreach (var reference in pod.Spec.ResourceClaims ?? []) _made.TryRemove((pod.Metadata.Uid, reference.Name), out _);
    }

    private void ClaimChanged(ResourceClaim claim)
    {
        Queue.Add(ClaimPrefix + KubeKey.Of(claim));
        if (OwnerReferences.ControllerOf(claim) is { Kind: "Pod" } owner)
        {
            _made.TryRemove((owner.Uid, claim.Metadata.Annotations?.GetValueOrDefault(PodResourceClaims.PodClaimName) ?? ""), out _);
            Queue.Add(KubeKey.Of(claim.Metadata.Namespace, owner.Name));
            return;
        }
        if (claim.Status.Allocation is null) return;
        foreach (var pod in _pods.Store.List(claim.Metadata.Namespace))
        {
            if (pod.Spec.NodeName.Length > 0 && PodResourceClaims.NamesOf(pod).Contains(claim.Metadata.Name)) Queue.Add(KubeKey.Of(pod));
        }
    }

    private void TemplateAdded(ResourceClaimTemplate template)
    {
        foreach (var pod in _pods.Store.List(template.Metadata.Namespace))
        {
            if ((pod.Spec.ResourceClaims ?? []).Exists(r => r.ResourceClaimTemplateName == template.Metadata.Name)) Queue.Add(KubeKey.Of(pod));
        }
    }
}
