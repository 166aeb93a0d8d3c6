using Hardway.Api;
using Hardway.Api.Apps.V1;
using Hardway.Api.Core.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Moves a Deployment's Pods to its template by sizing ReplicaSets:
/// <code>
/// 1 claim the ReplicaSets   2 going away: status only   3 paused or scaled: share the size, status
/// 4 Recreate: all old to zero, wait for their Pods to end, then the new set
///   RollingUpdate: one step of growing the new and shrinking the old within maxSurge and maxUnavailable
/// 5 complete: remove history beyond the limit          6 status: counts, Available, Progressing (deadline), ReplicaFailure
/// </code>
/// Each look does what is possible now; changes of ReplicaSets bring the next look.
/// </summary>
internal sealed class DeploymentController : ClusterController
{
    private const string Account = "deployment-controller";
    private readonly EventRecorder _events;
    private readonly DeploymentReplicaSets _sets;
    private readonly Claims<Deployment, ReplicaSet> _claims;
    private readonly Informer<Deployment> _deployments;
    private readonly Informer<ReplicaSet> _replicaSets;
    private readonly Informer<Pod> _pods;

    public DeploymentController(ControllerContext context) : base("deployment-controller", Account, context)
    {
        _events = EventsAs("deployment-controller");
        _sets = new DeploymentReplicaSets(Client, _events);
        _claims = new Claims<Deployment, ReplicaSet>(Client);
        _deployments = Watch<Deployment>();
        _replicaSets = Watch<ReplicaSet>();
        _pods = Watch<Pod>().AddPodIndexes();
        _deployments.AddHandler(d => Queue.Add(KubeKey.Of(d)));
        _replicaSets.AddHandler(SetChanged, (old, now) => { if (!ReferenceEquals(old, now)) SetChanged(old); SetChanged(now); }, SetChanged);
        _pods.AddHandler(deleted: PodDeleted);
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_deployments.Store.Get(key)?.Clone() is not { } deployment) return;
        if (deployment.Spec.Selector is null or { MatchLabels: null or { Count: 0 }, MatchExpressions: null or { Count: 0 } })
        {
            _events.Warning(deployment, "SelectingAll", "This deployment is selecting all pods. A non-empty selector is required.");
            return;
        }
        var all = await _claims.ClaimAsync(deployment, Selector.From(deployment.Spec.Selector), _replicaSets.Store.List(deployment.Metadata.Namespace), cancellationToken);
        if (deployment.Metadata.DeletionTimestamp is not null)
        {
            await WriteStatusAsync(key, deployment, all, DeploymentReplicaSets.FindNew(deployment, all), progress: false, cancellationToken);
            return;
        }
        var resumed = SetPaused(deployment);
        if (deployment.Spec.Paused || IsScaled(deployment, all)) await ResizeAsync(key, deployment, all, cancellationToken);
        else if (Rollout.IsRolling(deployment)) await RollAsync(key, deployment, all, cancellationToken);
        else await RecreateAsync(key, deployment, all, cancellationToken);
        if (resumed) Queue.Add(key);
    }

    private async Task RollAsync(string key, Deployment deployment, List<ReplicaSet> all, CancellationToken ct)
    {
        if (await _sets.EnsureNewAsync(deployment, all, ct) is not { } newSet) return;
        var size = Rollout.Replicas(newSet) > Rollout.Replicas(deployment) ? Rollout.Replicas(deployment) : Rollout.NewReplicas(deployment, all, newSet);
        if (size != Rollout.Replicas(newSet))
        {
            newSet = await ResizeOneAsync(deployment, all, newSet, size, ct);
        }
        else
        {
            foreach (var (set, smaller) in Rollout.ShrinkOld(deployment, all, newSet, all.Where(s => s != newSet))) await ResizeOneAsync(deployment, all, set, smaller, ct);
        }
        await FinishAsync(key, deployment, all, newSet, ct);
    }

    private async Task RecreateAsync(string key, Deployment deployment, List<ReplicaSet> all, CancellationToken ct)
    {
        var newSet = DeploymentReplicaSets.FindNew(deployment, all);
        var busy = all.Where(s => s != newSet && Rollout.Replicas(s) > 0).ToList();
        foreach (var set in busy) await ResizeOneAsync(deployment, all, set, 0, ct);
        if (busy.Count == 0 && !OldPodsRun(deployment, all, newSet))
        {
            newSet = await _sets.EnsureNewAsync(deployment, all, ct);
            if (newSet is null) return;
            newSet = await ResizeOneAsync(deployment, all, newSet, Rollout.Replicas(deployment), ct);
        }
        await FinishAsync(key, deployment, all, newSet, ct);
    }

    /// <summary>Paused, or scaled in mid-rollout: sizes change, templates do not.</summary>
    private async Task ResizeAsync(string key, Deployment deployment, List<ReplicaSet> all, CancellationToken ct)
    {
        var newSet = DeploymentReplicaSets.FindNew(deployment, all);
        var active = all.Where(s => Rollout.Replicas(s) > 0).ToList();
        if (active.Count <= 1)
        {
            var one = active.Count == 1 ? active[0] : newSet ?? all.OrderByDescending(Rollout.RevisionOf).FirstOrDefault();
            if (one is not null) await ResizeOneAsync(deployment, all, one, Rollout.Replicas(deployment), ct);
        }
        else if (Rollout.IsSaturated(deployment, newSet))
        {
            foreach (var set in active.Where(s => s != newSet)) await ResizeOneAsync(deployment, all, set, 0, ct);
        }
        else if (Rollout.IsRolling(deployment))
        {
            foreach (var (set, size) in Rollout.ScaleProportionally(deployment, active)) await ResizeOneAsync(deployment, all, set, size, ct);
        }
        newSet = DeploymentReplicaSets.FindNew(deployment, all);
        if (deployment.Spec.Paused) await _sets.CleanupAsync(deployment, all.Where(s => s != newSet), ct);
        await WriteStatusAsync(key, deployment, all, newSet, progress: false, ct);
    }

    private async Task FinishAsync(string key, Deployment deployment, List<ReplicaSet> all, ReplicaSet? newSet, CancellationToken ct)
    {
        if (Rollout.IsComplete(deployment, deployment.Status)) await _sets.CleanupAsync(deployment, all.Where(s => s != newSet), ct);
        await WriteStatusAsync(key, deployment, all, newSet, progress: true, ct);
    }

    private async Task<ReplicaSet> ResizeOneAsync(Deployment deployment, List<ReplicaSet> all, ReplicaSet set, int size, CancellationToken ct)
    {
        var now = await _sets.ScaleAsync(deployment, set, size, ct);
        all[all.FindIndex(s => s.Metadata.Uid == set.Metadata.Uid)] = now;
        return now;
    }

    private async Task WriteStatusAsync(string key, Deployment deployment, List<ReplicaSet> all, ReplicaSet? newSet, bool progress, CancellationToken ct)
    {
        var now = Time.GetUtcNow();
        var status = DeploymentConditions.Calculate(deployment, all, newSet, now);
        if (progress)
        {
            if (DeploymentConditions.HasDeadline(deployment) && DeploymentConditions.Find(deployment.Status, "Progressing") is null && newSet is not null)
                DeploymentConditions.Set(status, "Progressing", "True", "NewReplicaSetCreated", $"Created new replica set \"{newSet.Metadata.Name}\"", now);
            DeploymentConditions.SetProgress(deployment, status, newSet, now);
        }
        if (!ApiStruct.DeepEquals(status, _deployments.Store.Get(key)?.Status))
        {
            var changed = deployment.Clone();
            changed.Status = status;
            try { await Client.UpdateStatusAsync(changed, ct); }
            catch (ApiException e) when (e.IsNotFound) { return; }
        }
        if (DeploymentConditions.Deadline(deployment, status) is { } deadline) Queue.AddAfter(key, deadline - now + TimeSpan.FromSeconds(1));
    }

    /// <summary>Notes pausing and resuming in Progressing. True: just resumed, look again.</summary>
    private bool SetPaused(Deployment deployment)
    {
        if (!DeploymentConditions.HasDeadline(deployment)) return false;
        var current = DeploymentConditions.Find(deployment.Status, "Progressing");
        if (current?.Reason == "ProgressDeadlineExceeded") return false;
        var paused = current?.Reason == "DeploymentPaused";
        if (deployment.Spec.Paused == paused) return false;
        DeploymentConditions.Set(deployment.Status, "Progressing", "Unknown", deployment.Spec.Paused ? "DeploymentPaused" : "DeploymentResumed", deployment.Spec.Paused ? "Deployment is paused" : "Deployment is resumed", Time.GetUtcNow());
        return !deployment.Spec.Paused;
    }

    private static bool IsScaled(Deployment deployment, List<ReplicaSet> all) =>
        all.Exists(s => Rollout.Replicas(s) > 0 && Rollout.IntAnnotation(s, Rollout.DesiredReplicas) is { } desired && desired != Rollout.Replicas(deployment));

    private bool OldPodsRun(Deployment deployment, List<ReplicaSet> all, ReplicaSet? newSet)
    {
        foreach (var set in all)
        {
            if (set.Metadata.Uid == newSet?.Metadata.Uid) continue;
            if (_pods.OwnedBy(set.Metadata.Uid).Any(p => !PodState.IsFinished(p))) return true;
        }
        return false;
    }

    private void SetChanged(ReplicaSet set)
    {
        if (OwnerReferences.ControllerOf(set) is { } owner)
        {
            if (owner.Kind == "Deployment") Queue.Add(KubeKey.Of(set.Metadata.Namespace, owner.Name));
            return;
        }
        foreach (var deployment in _deployments.Store.List(set.Metadata.Namespace))
        {
            if (deployment.Spec.Selector is { } selector && Selector.From(selector).Matches(set.Metadata.Labels)) Queue.Add(KubeKey.Of(deployment));
        }
    }

    /// <summary>Recreate waits for the last old Pod.</summary>
    private void PodDeleted(Pod pod)
    {
        if (OwnerReferences.ControllerOf(pod) is not { Kind: "ReplicaSet" } owner) return;
        if (_replicaSets.Store.Get(pod.Metadata.Namespace, owner.Name) is { } set && OwnerReferences.ControllerOf(set) is { Kind: "Deployment" } deployment)
        {
            var key = KubeKey.Of(set.Metadata.Namespace, deployment.Name);
            if (_deployments.Store.Get(key) is { } found && !Rollout.IsRolling(found)) Queue.Add(key);
        }
    }
}
