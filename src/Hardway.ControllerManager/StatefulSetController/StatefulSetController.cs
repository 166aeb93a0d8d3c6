using Hardway.Api;
using Hardway.Api.Apps.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Pods with an identity, name-0, name-1, ...:
/// <code>
/// 1 every ordinal that should be, in order: replace what ended, make what is missing (claims first). OrderedReady: go on only when it is
///   running, ready and available      2 ordinals too many, highest first; OrderedReady: one at a time, waiting for its end
/// 3 rolling update, highest first down to the partition: delete Pods of another revision while no more than maxUnavailable are not available
/// </code>
/// A name exists once, so that no cache, however old, can lead to two Pods of one identity.
/// </summary>
internal sealed class StatefulSetController : ClusterController
{
    private const string Account = "statefulset-controller";
    private readonly EventRecorder _events;
    private readonly Claims<StatefulSet, Pod> _claims;
    private readonly RevisionHistory<StatefulSet> _history;
    private readonly ClaimRetention _retention;
    private readonly Informer<StatefulSet> _sets;
    private readonly Informer<Pod> _pods;
    private readonly Informer<PersistentVolumeClaim> _volumeClaims;

    public StatefulSetController(ControllerContext context) : base("statefulset-controller", Account, context)
    {
        _events = EventsAs("statefulset-controller");
        _claims = new Claims<StatefulSet, Pod>(Client);
        _sets = Watch<StatefulSet>();
        _pods = Watch<Pod>().AddPodIndexes();
        _volumeClaims = Watch<PersistentVolumeClaim>();
        _retention = new ClaimRetention(Client, _volumeClaims);
        _history = new RevisionHistory<StatefulSet>(Client, Watch<ControllerRevision>());
        _sets.AddHandler(s => Queue.Add(KubeKey.Of(s)));
        _pods.AddHandler(PodChanged);
    }

    /// <summary>One look's outcome: the Pods by ordinal after it, for the status.</summary>
    private sealed record Look(StatefulSet Set, ControllerRevision Current, ControllerRevision Update, SortedDictionary<int, Pod> Wanted, List<Pod> Condemned);

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_sets.Store.Get(key) is not { } set) return;
        var selector = Selector.From(set.Spec.Selector);
        var revisions = await _history.ListAsync(set, selector, cancellationToken);
        if (await _history.EnsureAsync(set, set.Spec.Template, set.Status.CollisionCount, revisions, cancellationToken) is not { } update)
        {
            var collided = set.Clone();
            collided.Status.CollisionCount = (set.Status.CollisionCount ?? 0) + 1;
            await Client.UpdateStatusAsync(collided, cancellationToken);
            return;
        }
        var current = revisions.Find(r => r.Metadata.Name == set.Status.CurrentRevision) ?? update;
        var pods = await _claims.ClaimAsync(set, selector, _pods.Claimable(set.Metadata.Uid, set.Metadata.Namespace), cancellationToken, p => StatefulIdentity.OrdinalOf(set, p.Metadata.Name) is not null);
        var look = Sort(set, current, update, pods);
        if (set.Metadata.DeletionTimestamp is null) await WorkAsync(look, cancellationToken);
        await WriteStatusAsync(key, look, cancellationToken);
        var used = pods.Select(StatefulIdentity.RevisionOf).Append(current.Metadata.Name).Append(update.Metadata.Name).ToHashSet(StringComparer.Ordinal);
        await _history.CleanupAsync(revisions, set.Spec.RevisionHistoryLimit ?? 10, used, cancellationToken);
    }

    private static Look Sort(StatefulSet set, ControllerRevision current, ControllerRevision update, List<Pod> pods)
    {
        var look = new Look(set, current, update, [], []);
        var start = StatefulIdentity.Start(set);
        foreach (var pod in pods)
        {
            if (StatefulIdentity.OrdinalOf(set, pod.Metadata.Name) is not { } ordinal) continue;
            if (ordinal >= start && ordinal < start + StatefulIdentity.Replicas(set)) look.Wanted[ordinal] = pod;
            else look.Condemned.Add(pod);
        }
        look.Condemned.Sort((a, b) => (StatefulIdentity.OrdinalOf(set, b.Metadata.Name) ?? 0).CompareTo(StatefulIdentity.OrdinalOf(set, a.Metadata.Name) ?? 0));
        return look;
    }

    private async Task WorkAsync(Look look, CancellationToken ct)
    {
        if (!await FillAsync(look, ct)) return;
        if (!await ShrinkAsync(look, ct)) return;
        if (look.Set.Spec.UpdateStrategy.Type != "OnDelete") await UpdateAsync(look, ct);
    }

    /// <summary>False: wait before going on.</summary>
    private async Task<bool> FillAsync(Look look, CancellationToken ct)
    {
        var set = look.Set;
        var ordered = StatefulIdentity.IsOrdered(set);
        var start = StatefulIdentity.Start(set);
        for (var ordinal = start; ordinal < start + StatefulIdentity.Replicas(set); ordinal++)
        {
            var pod = look.Wanted.GetValueOrDefault(ordinal);
            if (pod is not null && PodState.IsFinished(pod) && !PodState.IsTerminating(pod))
            {
                _events.Warning(set, "RecreatingFailedPod", $"StatefulSet {KubeKey.Of(set)} is recreating failed Pod {pod.Metadata.Name}");
                await DeleteAsync(set, pod, ct);
                if (ordered) return false;
                continue;
            }
            if (pod is null)
            {
                var revision = IsOldShare(look, ordinal) ? look.Current : look.Update;
                look.Wanted[ordinal] = await CreateAsync(set, ordinal, revision, ct);
                if (ordered) return false;
                continue;
            }
            if (pod.Status.Phase is "Pending" or "") await EnsureClaimsAsync(set, ordinal, ct);
            await _retention.ApplyAsync(set, pod, ordinal, condemned: false, ct);
            if (!ordered) continue;
            if (!IsAvailable(set, pod)) return false;
        }
        return true;
    }

    private async Task<bool> ShrinkAsync(Look look, CancellationToken ct)
    {
        var ordered = StatefulIdentity.IsOrdered(look.Set);
        foreach (var pod in look.Condemned)
        {
            if (!PodState.IsTerminating(pod))
            {
                await _retention.ApplyAsync(look.Set, pod, StatefulIdentity.OrdinalOf(look.Set, pod.Metadata.Name) ?? 0, condemned: true, ct);
                await DeleteAsync(look.Set, pod, ct);
            }
            if (ordered) return false;
        }
        return true;
    }

    /// <summary>
    /// Deletes Pods of another revision, highest first: those that are not available anyway, and others while no more than maxUnavailable are without
    /// one. Pods that are on their way count.
    /// </summary>
    private async Task UpdateAsync(Look look, CancellationToken ct)
    {
        var set = look.Set;
        var lowest = StatefulIdentity.Start(set) + (set.Spec.UpdateStrategy.RollingUpdate?.Partition ?? 0);
        var most = StatefulIdentity.MaxUnavailable(set);
        var unavailable = StatefulIdentity.Replicas(set) - look.Wanted.Values.Count(p => IsAvailable(set, p));
        var busy = 0;
        foreach (var (ordinal, pod) in look.Wanted.Reverse())
        {
            if (ordinal < lowest || busy >= most) return;
            var available = IsAvailable(set, pod);
            if (StatefulIdentity.RevisionOf(pod) == look.Update.Metadata.Name || PodState.IsTerminating(pod))
            {
                if (!available) busy++;
                continue;
            }
            if (available && unavailable >= most) continue;
            await DeleteAsync(set, pod, ct);
            busy++;
            if (available) unavailable++;
        }
    }

    private bool IsAvailable(StatefulSet set, Pod pod) => StatefulIdentity.IsHealthy(pod) && PodState.IsAvailable(pod, set.Spec.MinReadySeconds, Time.GetUtcNow());

    /// <summary>During a rolling update a Pod that is lost below the update's front, or below the partition, comes back as it was.</summary>
    private static bool IsOldShare(Look look, int ordinal)
    {
        if (look.Set.Spec.UpdateStrategy.Type == "OnDelete") return false;
        var offset = ordinal - StatefulIdentity.Start(look.Set);
        var partition = look.Set.Spec.UpdateStrategy.RollingUpdate?.Partition ?? 0;
        return partition > 0 ? offset < partition : offset < look.Set.Status.CurrentReplicas;
    }

    private async Task<Pod> CreateAsync(StatefulSet set, int ordinal, ControllerRevision revision, CancellationToken ct)
    {
        await EnsureClaimsAsync(set, ordinal, ct);
        var template = RevisionHistory<StatefulSet>.TemplateOf(revision) ?? set.Spec.Template;
        var pod = StatefulIdentity.NewPod(set, ordinal, template, revision.Metadata.Name);
        try
        {
            var made = await Client.CreateAsync(pod, ct);
            _events.Normal(set, "SuccessfulCreate", $"create Pod {made.Metadata.Name} in StatefulSet {set.Metadata.Name} successful");
            return made;
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            return pod;
        }
        catch (ApiException e)
        {
            _events.Warning(set, "FailedCreate", $"create Pod {pod.Metadata.Name} in StatefulSet {set.Metadata.Name} failed error: {e.Message}");
            throw;
        }
    }

    private async Task DeleteAsync(StatefulSet set, Pod pod, CancellationToken ct)
    {
        if (await Client.DeleteAsync<Pod>(pod.Metadata.Namespace, pod.Metadata.Name, new DeleteOptions { Preconditions = new Preconditions { Uid = pod.Metadata.Uid } }, ct))
            _events.Normal(set, "SuccessfulDelete", $"delete Pod {pod.Metadata.Name} in StatefulSet {set.Metadata.Name} successful");
    }

    private async Task EnsureClaimsAsync(StatefulSet set, int ordinal, CancellationToken ct)
    {
        foreach (var claim in StatefulIdentity.Claims(set, ordinal))
        {
            if (_volumeClaims.Store.Get(KubeKey.Of(claim)) is not null) continue;
            try
            {
                await Client.CreateAsync(claim, ct);
                _events.Normal(set, "SuccessfulCreate", $"create Claim {claim.Metadata.Name} Pod {StatefulIdentity.NameOf(set, ordinal)} in StatefulSet {set.Metadata.Name} success");
            }
            catch (ApiException e) when (e.IsAlreadyExists)
            {
            }
        }
    }

    private async Task WriteStatusAsync(string key, Look look, CancellationToken ct)
    {
        var now = Time.GetUtcNow();
        var all = look.Wanted.Values.Concat(look.Condemned).Where(p => p.Metadata.Uid.Length > 0).ToList();
        var changed = look.Set.Clone();
        var status = changed.Status;
        status.ObservedGeneration = look.Set.Metadata.Generation;
        status.Replicas = all.Count;
        status.ReadyReplicas = all.Count(p => p.Status.Phase == "Running" && PodState.IsReady(p));
        status.AvailableReplicas = all.Count(p => p.Status.Phase == "Running" && PodState.IsAvailable(p, look.Set.Spec.MinReadySeconds, now));
        status.CurrentReplicas = all.Count(p => !PodState.IsTerminating(p) && StatefulIdentity.RevisionOf(p) == look.Current.Metadata.Name);
        status.UpdatedReplicas = all.Count(p => !PodState.IsTerminating(p) && StatefulIdentity.RevisionOf(p) == look.Update.Metadata.Name);
        status.CurrentRevision = look.Current.Metadata.Name;
        status.UpdateRevision = look.Update.Metadata.Name;
        if (look.Set.Spec.UpdateStrategy.Type != "OnDelete" && status.UpdatedReplicas == status.Replicas && status.ReadyReplicas == status.Replicas && look.Condemned.Count == 0 && status.Replicas == StatefulIdentity.Replicas(look.Set))
        {
            status.CurrentReplicas = status.UpdatedReplicas;
            status.CurrentRevision = status.UpdateRevision;
        }
        if (!ApiStruct.DeepEquals(status, look.Set.Status)) await Client.UpdateStatusAsync(changed, ct);
        if (look.Set.Spec.MinReadySeconds > 0 && status.ReadyReplicas > status.AvailableReplicas) Queue.AddAfter(key, TimeSpan.FromSeconds(Math.Min(5, look.Set.Spec.MinReadySeconds)));
    }

    private void PodChanged(Pod pod)
    {
        if (OwnerReferences.ControllerOf(pod) is { } owner)
        {
            if (owner.Kind == "StatefulSet") Queue.Add(KubeKey.Of(pod.Metadata.Namespace, owner.Name));
            return;
        }
        foreach (var set in _sets.Store.List(pod.Metadata.Namespace))
        {
            if (StatefulIdentity.OrdinalOf(set, pod.Metadata.Name) is not null && Selector.From(set.Spec.Selector).Matches(pod.Metadata.Labels)) Queue.Add(KubeKey.Of(set));
        }
    }
}
