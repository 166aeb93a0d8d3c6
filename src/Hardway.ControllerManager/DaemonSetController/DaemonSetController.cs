using Hardway.Api;
using Hardway.Api.Apps.V1;
using Hardway.Api.Core.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// One Pod on every node that the template fits:
/// <code>
/// 1 the template's revision   2 Pods by node: make missing ones, delete failed, surplus and misplaced ones
/// 3 rolling update: delete old Pods while no more than maxUnavailable nodes are without an available one; with maxSurge make the new one beside
///   the old and delete the old when the new is available      4 history   5 status
/// </code>
/// </summary>
internal sealed class DaemonSetController : ClusterController
{
    private const string Account = "daemon-set-controller";
    private const int MostAtOnce = 250;
    private readonly EventRecorder _events;
    private readonly PodControl _control;
    private readonly Claims<DaemonSet, Pod> _claims;
    private readonly RevisionHistory<DaemonSet> _history;
    private readonly Expectations _expectations;
    private readonly FailedPodBackoff _backoff;
    private readonly Informer<DaemonSet> _sets;
    private readonly Informer<Node> _nodes;
    private readonly Informer<Pod> _pods;

    public DaemonSetController(ControllerContext context) : base("daemonset-controller", Account, context)
    {
        _events = EventsAs("daemonset-controller");
        _control = new PodControl(Client, _events);
        _claims = new Claims<DaemonSet, Pod>(Client);
        _expectations = new Expectations(context.Time);
        _backoff = new FailedPodBackoff(context.Time);
        _sets = Watch<DaemonSet>();
        _nodes = Watch<Node>();
        _pods = Watch<Pod>().AddPodIndexes();
        _history = new RevisionHistory<DaemonSet>(Client, Watch<ControllerRevision>());
        _sets.AddHandler(s => Queue.Add(KubeKey.Of(s)));
        _nodes.AddHandler(_ => EnqueueAll(), (old, now) => { if (NodeDiffers(old, now)) EnqueueAll(); }, _ => EnqueueAll());
        _pods.AddHandler(p => PodSeen(p, created: true), (_, p) => PodSeen(p, created: false), PodGone);
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_sets.Store.Get(key) is not { } set)
        {
            _expectations.Forget(key);
            return;
        }
        if (set.Metadata.DeletionTimestamp is not null) return;
        var selector = Selector.From(set.Spec.Selector);
        if (selector.IsEverything)
        {
            _events.Warning(set, "SelectingAll", "This daemon set is selecting all pods. A non-empty selector is required.");
            return;
        }
        var revisions = await _history.ListAsync(set, selector, cancellationToken);
        if (await _history.EnsureAsync(set, set.Spec.Template, set.Status.CollisionCount, revisions, cancellationToken) is not { } current)
        {
            var collided = set.Clone();
            collided.Status.CollisionCount = (set.Status.CollisionCount ?? 0) + 1;
            await Client.UpdateStatusAsync(collided, cancellationToken);
            return;
        }
        var hash = RevisionHistory<DaemonSet>.HashOf(current);
        var pods = await _claims.ClaimAsync(set, selector, _pods.Claimable(set.Metadata.Uid, set.Metadata.Namespace), cancellationToken);
        if (_expectations.Satisfied(key))
        {
            await PlaceAsync(key, set, pods, hash, cancellationToken);
            if (_expectations.Satisfied(key) && set.Spec.UpdateStrategy.Type != "OnDelete") await RollAsync(key, set, pods, hash, cancellationToken);
        }
        await _history.CleanupAsync(revisions, set.Spec.RevisionHistoryLimit ?? 10, pods.Select(p => p.Metadata.Labels?.GetValueOrDefault(RevisionHistory<DaemonSet>.Hash) ?? "").Append(hash).ToHashSet(StringComparer.Ordinal), cancellationToken);
        await WriteStatusAsync(key, set, pods, hash, cancellationToken);
    }

    private async Task PlaceAsync(string key, DaemonSet set, List<Pod> pods, string hash, CancellationToken ct)
    {
        var byNode = pods.ToLookup(DaemonRules.NodeOf, StringComparer.Ordinal);
        List<string> missing = [];
        List<Pod> doomed = [];
        foreach (var node in _nodes.Store.List())
        {
            var (run, stay) = DaemonRules.Judge(set, node);
            var here = byNode[node.Metadata.Name].ToList();
            foreach (var failed in here.Where(p => p.Status.Phase == "Failed" && !PodState.IsTerminating(p)))
            {
                if (!_backoff.MayRemove($"{set.Metadata.Uid}/{hash}/{node.Metadata.Name}", out var wait))
                {
                    Queue.AddAfter(key, wait);
                    continue;
                }
                _events.Warning(set, "FailedDaemonPod", $"Found failed daemon pod {KubeKey.Of(failed)} on node {node.Metadata.Name}, will try to kill it");
                doomed.Add(failed);
            }
            var alive = here.Where(p => !PodState.IsTerminating(p) && p.Status.Phase != "Failed").ToList();
            if (!stay) doomed.AddRange(alive);
            else if (alive.Count == 0 && run && here.Count == 0) missing.Add(node.Metadata.Name);
            else if (alive.Count > 1) doomed.AddRange(Surplus(set, alive, hash));
        }
        var known = _nodes.Store.Keys().ToHashSet(StringComparer.Ordinal);
        doomed.AddRange(pods.Where(p => p.Spec.NodeName.Length == 0 && DaemonRules.NodeOf(p) is { Length: > 0 } node && !known.Contains(node) && !PodState.IsTerminating(p)));
        await DeleteAsync(key, set, doomed, ct);
        await CreateAsync(key, set, missing, hash, ct);
    }

    /// <summary>Of several on one node the oldest stays; with a surge one old and one new.</summary>
    private static IEnumerable<Pod> Surplus(DaemonSet set, List<Pod> alive, string hash)
    {
        var ordered = alive.OrderBy(p => p.Metadata.CreationTimestamp).ThenBy(p => p.Metadata.Name, StringComparer.Ordinal).ToList();
        if (DaemonRules.Surge(set, 100) == 0) return ordered.Skip(1);
        return ordered.Where(p => IsNew(p, hash)).Skip(1).Concat(ordered.Where(p => !IsNew(p, hash)).Skip(1));
    }

    private async Task RollAsync(string key, DaemonSet set, List<Pod> pods, string hash, CancellationToken ct)
    {
        var now = Time.GetUtcNow();
        var nodes = _nodes.Store.List().Where(n => DaemonRules.Judge(set, n).Run).Select(n => n.Metadata.Name).ToList();
        var byNode = pods.Where(p => !PodState.IsFinished(p)).ToLookup(DaemonRules.NodeOf, StringComparer.Ordinal);
        var surge = DaemonRules.Surge(set, nodes.Count);
        List<Pod> doomed = [];
        List<string> missing = [];
        var unavailable = nodes.Count(n => !byNode[n].Any(p => !PodState.IsTerminating(p) && PodState.IsAvailable(p, set.Spec.MinReadySeconds, now)));
        var surging = nodes.Count(n => byNode[n].Any(p => IsNew(p, hash)) && byNode[n].Any(p => !IsNew(p, hash) && !PodState.IsTerminating(p)));
        foreach (var node in nodes)
        {
            var old = byNode[node].FirstOrDefault(p => !IsNew(p, hash) && !PodState.IsTerminating(p));
            if (old is null) continue;
            var oldAvailable = PodState.IsAvailable(old, set.Spec.MinReadySeconds, now);
            if (surge > 0)
            {
                var fresh = byNode[node].FirstOrDefault(p => IsNew(p, hash));
                if (fresh is not null && PodState.IsAvailable(fresh, set.Spec.MinReadySeconds, now)) doomed.Add(old);
                else if (fresh is null && !oldAvailable) missing.Add(node);
                else if (fresh is null && surging < surge)
                {
                    surging++;
                    missing.Add(node);
                }
                continue;
            }
            if (!oldAvailable) doomed.Add(old);
            else if (unavailable < DaemonRules.Unavailable(set, nodes.Count))
            {
                unavailable++;
                doomed.Add(old);
            }
        }
        await DeleteAsync(key, set, doomed, ct);
        await CreateAsync(key, set, missing, hash, ct);
    }

    private async Task CreateAsync(string key, DaemonSet set, List<string> nodes, string hash, CancellationToken ct)
    {
        var count = Math.Min(nodes.Count, MostAtOnce);
        if (count == 0) return;
        _expectations.ExpectCreations(key, count);
        var (done, error) = await PodControl.SlowStartAsync(count, i => _control.CreateAsync(PodControl.FromTemplate(set.Spec.Template, set, p => DaemonRules.Adjust(p, nodes[i], hash, set.Metadata.Generation)), set, ct));
        for (var i = done; i < count; i++) _expectations.CreationObserved(key);
        if (error is not null and not ApiException { IsNamespaceTerminating: true }) throw error;
    }

    private async Task DeleteAsync(string key, DaemonSet set, List<Pod> doomed, CancellationToken ct)
    {
        if (doomed.Count == 0) return;
        _expectations.ExpectDeletions(key, doomed.Select(p => p.Metadata.Uid));
        foreach (var pod in doomed)
        {
            try { await _control.DeleteAsync(pod, set, ct); }
            catch { _expectations.DeletionObserved(key, pod.Metadata.Uid); throw; }
        }
    }

    private async Task WriteStatusAsync(string key, DaemonSet set, List<Pod> pods, string hash, CancellationToken ct)
    {
        var now = Time.GetUtcNow();
        var byNode = pods.Where(p => !PodState.IsTerminating(p)).ToLookup(DaemonRules.NodeOf, StringComparer.Ordinal);
        var changed = set.Clone();
        var status = changed.Status;
        (status.DesiredNumberScheduled, status.CurrentNumberScheduled, status.NumberMisscheduled, status.NumberReady, status.NumberAvailable, status.UpdatedNumberScheduled) = (0, 0, 0, 0, 0, 0);
        foreach (var node in _nodes.Store.List())
        {
            var here = byNode[node.Metadata.Name].OrderByDescending(p => PodState.IsReady(p)).ToList();
            if (!DaemonRules.Judge(set, node).Run)
            {
                if (here.Count > 0) status.NumberMisscheduled++;
                continue;
            }
            status.DesiredNumberScheduled++;
            if (here.Count == 0) continue;
            status.CurrentNumberScheduled++;
            if (PodState.IsReady(here[0])) status.NumberReady++;
            if (PodState.IsAvailable(here[0], set.Spec.MinReadySeconds, now)) status.NumberAvailable++;
            if (here.Exists(p => IsNew(p, hash))) status.UpdatedNumberScheduled++;
        }
        status.NumberUnavailable = status.DesiredNumberScheduled - status.NumberAvailable;
        status.ObservedGeneration = set.Metadata.Generation;
        if (!ApiStruct.DeepEquals(status, set.Status)) await Client.UpdateStatusAsync(changed, ct);
        if (set.Spec.MinReadySeconds > 0 && status.NumberReady != status.NumberAvailable) Queue.AddAfter(key, TimeSpan.FromSeconds(Math.Min(5, set.Spec.MinReadySeconds)));
    }

    private static bool IsNew(Pod pod, string hash) => pod.Metadata.Labels?.GetValueOrDefault(RevisionHistory<DaemonSet>.Hash) == hash;

    private static bool NodeDiffers(Node old, Node now) =>
        old.Metadata.ResourceVersion == now.Metadata.ResourceVersion || !Same(old.Metadata.Labels, now.Metadata.Labels) || old.Spec.Unschedulable != now.Spec.Unschedulable
        || (old.Spec.Taints?.Count ?? 0) != (now.Spec.Taints?.Count ?? 0) || (old.Spec.Taints ?? []).Exists(t => !now.Spec.Taints!.Exists(n => n.Key == t.Key && n.Effect == t.Effect && n.Value == t.Value));

    private static bool Same(Dictionary<string, string>? a, Dictionary<string, string>? b) => (a?.Count ?? 0) == (b?.Count ?? 0) && (a ?? []).All(p => b!.TryGetValue(p.Key, out var value) && value == p.Value);

    private void EnqueueAll()
    {
        foreach (var key in _sets.Store.Keys()) Queue.Add(key);
    }

    private static string? KeyOf(Pod pod) => OwnerReferences.ControllerOf(pod) is { Kind: "DaemonSet" } owner ? KubeKey.Of(pod.Metadata.Namespace, owner.Name) : null;

    private void PodSeen(Pod pod, bool created)
    {
        if (KeyOf(pod) is not { } key) return;
        if (created) _expectations.CreationObserved(key);
        if (PodState.IsTerminating(pod)) _expectations.DeletionObserved(key, pod.Metadata.Uid);
        Queue.Add(key);
    }

    private void PodGone(Pod pod)
    {
        if (KeyOf(pod) is not { } key) return;
        _expectations.DeletionObserved(key, pod.Metadata.Uid);
        Queue.Add(key);
    }
}
