using System.Text.Json.Nodes;
using System.Text;
using Hardway.Api;
using Hardway.Api.Apps.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Api.Policy.V1;
using Hardway.Client;
using Scale = Hardway.Api.Autoscaling.V1.Scale;

namespace Hardway.ControllerManager;

/// <summary>
/// Keeps the status of PodDisruptionBudgets, which evictions are measured by: how many Pods are expected (from their controllers' sizes), healthy, and
/// may go. Pods that an eviction has noted in disruptedPods count as gone for two minutes. Keys are budgets, and with the prefix "pod:" Pods that were marked for disruption.
/// </summary>
internal sealed class DisruptionController : ClusterController
{
    private const string PodPrefix = "pod:";
    private static readonly TimeSpan _noted = TimeSpan.FromMinutes(2);
    private readonly EventRecorder _events;
    private readonly ServedKinds _kinds;
    private readonly Informer<PodDisruptionBudget> _budgets;
    private readonly Informer<Pod> _pods;
    private readonly Informer<ReplicaSet> _replicaSets;
    private readonly Informer<Deployment> _deployments;
    private readonly Informer<StatefulSet> _statefulSets;
    private readonly Informer<ReplicationController> _replicationControllers;

    public DisruptionController(ControllerContext context) : base("disruption-controller", "disruption-controller", context)
    {
        Workers = 1;
        _kinds = new ServedKinds(context.Root);
        _events = EventsAs("controllermanager");
        _budgets = Watch<PodDisruptionBudget>();
        _pods = Watch<Pod>().AddPodIndexes();
        _replicaSets = Watch<ReplicaSet>();
        _deployments = Watch<Deployment>();
        _statefulSets = Watch<StatefulSet>();
        _replicationControllers = Watch<ReplicationController>();
        _budgets.AddHandler(b => Queue.Add(KubeKey.Of(b)));
        _pods.AddHandler(PodChanged);
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (key.StartsWith(PodPrefix, StringComparison.Ordinal))
        {
            await ClearStaleMarkAsync(key[PodPrefix.Length..], cancellationToken);
            return;
        }
        if (_budgets.Store.Get(key)?.Clone() is not { } budget) return;
        var before = budget.Status.Clone();
        var selector = Selector.From(budget.Spec.Selector);
        var pods = _pods.Store.List(budget.Metadata.Namespace).Where(p => selector.Matches(p.Metadata.Labels)).ToList();
        var now = Time.GetUtcNow();
        DropNotes(budget, pods, now, key);
        var noted = budget.Status.DisruptedPods ?? [];
        var healthy = pods.Count(p => PodState.IsReady(p) && !PodState.IsTerminating(p) && !noted.ContainsKey(p.Metadata.Name));
        var (expected, wanted, failure) = await ExpectAsync(budget, pods, cancellationToken);
        var allowed = failure is not null || expected <= 0 ? 0 : Math.Max(0, healthy - wanted);
        var status = budget.Status;
        (status.CurrentHealthy, status.DesiredHealthy, status.ExpectedPods, status.DisruptionsAllowed) = (healthy, wanted, expected, allowed);
        status.ObservedGeneration = budget.Metadata.Generation;
        SetCondition(budget, failure, allowed, now);
        if (pods.Count == 0 && failure is null) _events.Normal(budget, "NoPods", "No matching pods found");
        if (failure is not null) _events.Warning(budget, "CalculateExpectedPodCountFailed", $"Failed to calculate the number of expected pods: {failure}");
        if (!ApiStruct.DeepEquals(before, status)) await Client.UpdateStatusAsync(budget, cancellationToken);
    }

    private async Task<(int Expected, int Wanted, string? Failure)> ExpectAsync(PodDisruptionBudget budget, List<Pod> pods, CancellationToken ct)
    {
        if (budget.Spec.MaxUnavailable is { } most)
        {
            var (expected, failure) = await ExpectedFromControllersAsync(pods, ct);
            return (expected, Math.Max(0, expected - (most.Scaled(expected, roundUp: true) ?? 0)), failure);
        }
        if (budget.Spec.MinAvailable is not { } least) return (pods.Count, 0, null);
        if (least.IsInt) return (pods.Count, least.IntValue, null);
        var (total, wrong) = await ExpectedFromControllersAsync(pods, ct);
        return (total, least.Scaled(total, roundUp: true) ?? 0, wrong);
    }

    /// <summary>The sizes of the Pods' controllers, each once.</summary>
    private async Task<(int Expected, string? Failure)> ExpectedFromControllersAsync(List<Pod> pods, CancellationToken ct)
    {
        Dictionary<string, int> sizes = new(StringComparer.Ordinal);
        HashSet<string> known = new(StringComparer.Ordinal);
        foreach (var pod in pods)
        {
            if (OwnerReferences.ControllerOf(pod) is not { } owner) return (0, $"found no controllers for pod \"{pod.Metadata.Name}\"");
            if (!known.Add(owner.Uid)) continue;
            if ((SizeOf(pod.Metadata.Namespace, owner) ?? await ScaleOfAsync(pod.Metadata.Namespace, owner, ct)) is not var (uid, size)) return (0, $"found no controller ref for pod \"{pod.Metadata.Name}\": {owner.Kind} {owner.Name} has no scale");
            sizes[uid] = size;
        }
        return (sizes.Values.Sum(), null);
    }

    /// <summary>Any other kind, custom ones too, by its scale subresource.</summary>
    private async Task<(string Uid, int Size)?> ScaleOfAsync(string ns, OwnerReference owner, CancellationToken ct)
    {
        if (owner.Kind is "ReplicaSet" or "StatefulSet" or "ReplicationController") return null;
        if (await _kinds.FindAsync(owner.ApiVersion, owner.Kind, ct) is not { } resource) return null;
        try
        {
            var scale = await Client.GetAsync<Scale>(resource, ns, owner.Name, ct, "scale");
            return scale.Metadata.Uid == owner.Uid || scale.Metadata.Uid.Length == 0 ? (owner.Uid, scale.Spec.Replicas) : null;
        }
        catch (ApiException e) when (e.IsNotFound || e.Code == 405)
        {
            return null;
        }
    }

    private (string Uid, int Size)? SizeOf(string ns, OwnerReference owner)
    {
        switch (owner.Kind)
        {
            case "ReplicaSet" when _replicaSets.Store.Get(ns, owner.Name) is { } set && set.Metadata.Uid == owner.Uid:
                if (OwnerReferences.ControllerOf(set) is { Kind: "Deployment" } above && _deployments.Store.Get(ns, above.Name) is { } deployment) return (deployment.Metadata.Uid, Rollout.Replicas(deployment));
                return (set.Metadata.Uid, Rollout.Replicas(set));
            case "StatefulSet" when _statefulSets.Store.Get(ns, owner.Name) is { } stateful && stateful.Metadata.Uid == owner.Uid:
                return (stateful.Metadata.Uid, StatefulIdentity.Replicas(stateful));
            case "ReplicationController" when _replicationControllers.Store.Get(ns, owner.Name) is { } old && old.Metadata.Uid == owner.Uid:
                return (old.Metadata.Uid, old.Spec.Replicas ?? 1);
            default:
                return null;
        }
    }

    /// <summary>A Pod that was to be disrupted and is still there after two minutes will not be: its condition must not say so for ever.</summary>
    private async Task ClearStaleMarkAsync(string key, CancellationToken ct)
    {
        if (_pods.Store.Get(key) is not { } pod || StaleAt(pod) is not { } at) return;
        var now = Time.GetUtcNow();
        if (at > now)
        {
            Queue.AddAfter(PodPrefix + key, at - now);
            return;
        }
        var condition = new JsonObject { ["type"] = "DisruptionTarget", ["status"] = "False", ["lastTransitionTime"] = ApiTime.Format(now), ["reason"] = null, ["message"] = null };
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid }, ["status"] = new JsonObject { ["conditions"] = new JsonArray(condition) } };
        try
        {
            await Client.PatchAsync<Pod>(pod.Metadata.Namespace, pod.Metadata.Name, PatchType.StrategicMerge, Encoding.UTF8.GetBytes(patch.ToJsonString()), ct, "status");
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict)
        {
            // Gone meanwhile.
        }
    }

    private static DateTimeOffset? StaleAt(Pod pod) => PodState.IsActive(pod) && PodState.Condition(pod, "DisruptionTarget") is { Status: "True", LastTransitionTime: { } since } ? since + _noted : null;

    private void DropNotes(PodDisruptionBudget budget, List<Pod> pods, DateTimeOffset now, string key)
    {
        foreach (var (name, at) in (budget.Status.DisruptedPods ?? []).ToList())
        {
            var pod = pods.Find(p => p.Metadata.Name == name);
            if (pod is null || PodState.IsTerminating(pod) || at + _noted < now) budget.Status.DisruptedPods!.Remove(name);
            else Queue.AddAfter(key, at + _noted - now);
        }
        if (budget.Status.DisruptedPods is { Count: 0 }) budget.Status.DisruptedPods = null;
    }

    private static void SetCondition(PodDisruptionBudget budget, string? failure, int allowed, DateTimeOffset now)
    {
        var (status, reason, message) = failure is not null ? ("False", "SyncFailed", failure) : allowed > 0 ? ("True", "SufficientPods", "") : ("False", "InsufficientPods", "");
        var conditions = budget.Status.Conditions ??= [];
        var current = conditions.Find(c => c.Type == "DisruptionAllowed");
        if (current is null) conditions.Add(current = new Condition { Type = "DisruptionAllowed" });
        if (current.Status != status) current.LastTransitionTime = now;
        (current.Status, current.Reason, current.Message, current.ObservedGeneration) = (status, reason, message, budget.Metadata.Generation);
    }

    private void PodChanged(Pod pod)
    {
        if (StaleAt(pod) is not null) Queue.Add(PodPrefix + KubeKey.Of(pod));
        foreach (var budget in _budgets.Store.List(pod.Metadata.Namespace))
        {
            if (Selector.From(budget.Spec.Selector).Matches(pod.Metadata.Labels)) Queue.Add(KubeKey.Of(budget));
        }
    }
}
