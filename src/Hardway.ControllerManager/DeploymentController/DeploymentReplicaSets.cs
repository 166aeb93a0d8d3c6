using System.Globalization;
using Hardway.Api;
using Hardway.Api.Apps.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>A Deployment's ReplicaSets: finds or makes the one for its template, sizes them, removes old ones.</summary>
internal sealed class DeploymentReplicaSets(KubeClient client, EventRecorder events)
{
    private static readonly string[] _notCopied = ["kubectl.kubernetes.io/last-applied-configuration", Rollout.Revision, Rollout.RevisionHistory, Rollout.DesiredReplicas, Rollout.MaxReplicas, "deprecated.deployment.rollback.to"];

    /// <summary>The set with the Deployment's template; of several (it cannot be) the oldest.</summary>
    public static ReplicaSet? FindNew(Deployment deployment, IEnumerable<ReplicaSet> all) =>
        all.OrderBy(s => s.Metadata.CreationTimestamp).ThenBy(s => s.Metadata.Name, StringComparer.Ordinal).FirstOrDefault(s => Rollout.SameTemplate(s.Spec.Template, deployment.Spec.Template));

    /// <summary>
    /// The new set, made if need be, with the right revision and annotations; the Deployment's own revision annotation follows. Null: the name is
    /// taken by another set; the collision count was raised and the next look takes another name.
    /// </summary>
    public async Task<ReplicaSet?> EnsureNewAsync(Deployment deployment, List<ReplicaSet> all, CancellationToken ct)
    {
        var existing = FindNew(deployment, all);
        var revision = all.Where(s => s != existing).Select(Rollout.RevisionOf).DefaultIfEmpty(0).Max() + 1;
        if (existing is not null)
        {
            var changed = existing.Clone();
            SetAnnotations(deployment, changed, revision);
            changed.Spec.MinReadySeconds = deployment.Spec.MinReadySeconds;
            if (!ApiStruct.DeepEquals(changed, existing)) existing = Replace(all, existing, await client.UpdateAsync(changed, ct));
            await SetRevisionAsync(deployment, existing, ct);
            return existing;
        }
        var made = await CreateAsync(deployment, all, revision, ct);
        if (made is not null) await SetRevisionAsync(deployment, made, ct);
        return made;
    }

    /// <summary>Sets a size and the annotations that remember what it was part of.</summary>
    public async Task<ReplicaSet> ScaleAsync(Deployment deployment, ReplicaSet set, int size, CancellationToken ct)
    {
        var before = Rollout.Replicas(set);
        var changed = set.Clone();
        changed.Spec.Replicas = size;
        SetSizeAnnotations(deployment, changed);
        if (ApiStruct.DeepEquals(changed, set)) return set;
        var updated = await client.UpdateAsync(changed, ct);
        if (before != size) events.Normal(deployment, "ScalingReplicaSet", $"Scaled {(size > before ? "up" : "down")} replica set {set.Metadata.Name} from {before} to {size}");
        return updated;
    }

    /// <summary>Removes sets beyond the history limit, oldest first, that have nothing left.</summary>
    public async Task CleanupAsync(Deployment deployment, IEnumerable<ReplicaSet> old, CancellationToken ct)
    {
        if (deployment.Spec.RevisionHistoryLimit is not { } limit || limit == int.MaxValue) return;
        var candidates = old.Where(s => s.Metadata.DeletionTimestamp is null).OrderBy(Rollout.RevisionOf).ToList();
        foreach (var set in candidates.Take(Math.Max(0, candidates.Count - limit)))
        {
            if (set.Status.Replicas != 0 || Rollout.Replicas(set) != 0 || set.Metadata.Generation > set.Status.ObservedGeneration) continue;
            await client.DeleteAsync<ReplicaSet>(set.Metadata.Namespace, set.Metadata.Name, new DeleteOptions { Preconditions = new Preconditions { Uid = set.Metadata.Uid } }, ct);
        }
    }

    private async Task<ReplicaSet?> CreateAsync(Deployment deployment, List<ReplicaSet> all, long revision, CancellationToken ct)
    {
        var hash = PodTemplateHash.Of(deployment.Spec.Template, deployment.Status.CollisionCount);
        var template = deployment.Spec.Template.Clone();
        (template.Metadata.Labels ??= new Dictionary<string, string>(StringComparer.Ordinal))[PodTemplateHash.Label] = hash;
        var selector = deployment.Spec.Selector?.Clone() ?? new LabelSelector();
        (selector.MatchLabels ??= new Dictionary<string, string>(StringComparer.Ordinal))[PodTemplateHash.Label] = hash;
        var set = new ReplicaSet
        {
            Metadata = new ObjectMeta
            {
                Namespace = deployment.Metadata.Namespace,
                Name = $"{deployment.Metadata.Name}-{hash}",
                Labels = new Dictionary<string, string>(template.Metadata.Labels, StringComparer.Ordinal),
                OwnerReferences = [OwnerReferences.Controlling(deployment)],
            },
            Spec = new ReplicaSetSpec { Replicas = 0, MinReadySeconds = deployment.Spec.MinReadySeconds, Selector = selector, Template = template },
        };
        var size = Rollout.NewReplicas(deployment, all, set);
        set.Spec.Replicas = size;
        SetAnnotations(deployment, set, revision);
        try
        {
            var made = await client.CreateAsync(set, ct);
            all.Add(made);
            if (size > 0) events.Normal(deployment, "ScalingReplicaSet", $"Scaled up replica set {made.Metadata.Name} from 0 to {size}");
            return made;
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            var taken = await client.GetAsync<ReplicaSet>(set.Metadata.Namespace, set.Metadata.Name, ct);
            if (OwnerReferences.IsControlledBy(taken, deployment) && Rollout.SameTemplate(taken.Spec.Template, deployment.Spec.Template)) return taken;
            var changed = deployment.Clone();
            changed.Status.CollisionCount = (deployment.Status.CollisionCount ?? 0) + 1;
            await client.UpdateStatusAsync(changed, ct);
            return null;
        }
        catch (ApiException e) when (!e.IsNamespaceTerminating)
        {
            events.Warning(deployment, "ReplicaSetCreateError", $"Failed to create new replica set \"{set.Metadata.Name}\": {e.Message}");
            throw;
        }
    }

    private async Task SetRevisionAsync(Deployment deployment, ReplicaSet newSet, CancellationToken ct)
    {
        var revision = Rollout.RevisionOf(newSet).ToString(CultureInfo.InvariantCulture);
        if (deployment.Metadata.Annotations?.GetValueOrDefault(Rollout.Revision) == revision) return;
        var changed = deployment.Clone();
        (changed.Metadata.Annotations ??= new Dictionary<string, string>(StringComparer.Ordinal))[Rollout.Revision] = revision;
        var updated = await client.UpdateAsync(changed, ct);
        deployment.Metadata = updated.Metadata;
    }

    private static void SetAnnotations(Deployment deployment, ReplicaSet set, long revision)
    {
        var annotations = set.Metadata.Annotations ??= new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in deployment.Metadata.Annotations ?? [])
        {
            if (!_notCopied.Contains(name, StringComparer.Ordinal)) annotations[name] = value;
        }
        var old = Rollout.RevisionOf(set);
        if (old < revision)
        {
            if (old > 0)
            {
                var history = annotations.GetValueOrDefault(Rollout.RevisionHistory, "");
                annotations[Rollout.RevisionHistory] = history.Length == 0 ? $"{old}" : $"{history},{old}";
            }
            annotations[Rollout.Revision] = revision.ToString(CultureInfo.InvariantCulture);
        }
        SetSizeAnnotations(deployment, set);
    }

    private static void SetSizeAnnotations(Deployment deployment, ReplicaSet set)
    {
        var annotations = set.Metadata.Annotations ??= new Dictionary<string, string>(StringComparer.Ordinal);
        annotations[Rollout.DesiredReplicas] = Rollout.Replicas(deployment).ToString(CultureInfo.InvariantCulture);
        annotations[Rollout.MaxReplicas] = (Rollout.Replicas(deployment) + Rollout.MaxSurge(deployment)).ToString(CultureInfo.InvariantCulture);
    }

    private static ReplicaSet Replace(List<ReplicaSet> all, ReplicaSet old, ReplicaSet now)
    {
        all[all.IndexOf(old)] = now;
        return now;
    }
}
