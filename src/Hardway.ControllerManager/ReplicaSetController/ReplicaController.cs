using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Keeps as many Pods as an owner says: what ReplicaSets and ReplicationControllers have in common. Claims matching Pods, makes or deletes the
/// difference (at most 500 at a time, creations in growing batches), writes the status. While the cache has not shown what was done last,
/// nothing more is done (expectations).
/// </summary>
internal abstract class ReplicaController<T> : Controller where T : KubeObject, IApiType<T>, new()
{
    private const int BurstReplicas = 500;

    private readonly KubeClient _client;
    private readonly PodControl _control;
    private readonly Claims<T, Pod> _claims;
    private readonly Informer<T> _owners;
    private readonly Informer<Pod> _pods;
    private readonly Expectations _expectations;
    private readonly string _kind;

    protected ReplicaController(string name, string serviceAccount, ControllerContext context)
        : base(name, context.Logs, context.Time, context.Metrics)
    {
        _kind = T.TypeSchema.Kind;
        _client = context.ClientFor(serviceAccount);
        _control = new PodControl(_client, context.EventsFor(name, serviceAccount));
        _claims = new Claims<T, Pod>(_client);
        _expectations = new Expectations(context.Time);
        _owners = Needs(context.Informers.Get<T>());
        _pods = Needs(context.Informers.Get<Pod>().AddPodIndexes());
        _owners.AddHandler(o => Queue.Add(KubeKey.Of(o)), (_, o) => Queue.Add(KubeKey.Of(o)), OwnerDeleted);
        _pods.AddHandler(PodAdded, PodUpdated, PodDeleted);
    }

    protected abstract int Replicas(T owner);

    protected abstract int MinReadySeconds(T owner);

    protected abstract Selector SelectorOf(T owner);

    protected abstract PodTemplateSpec TemplateOf(T owner);

    /// <summary>A copy of the owner with the new status, or null when it is the same already.</summary>
    protected abstract T? WithStatus(T owner, ReplicaCounts counts, string? failureReason, string? failureMessage);

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_owners.Store.Get(key) is not { } owner)
        {
            _expectations.Forget(key);
            return;
        }
        var caughtUp = _expectations.Satisfied(key);
        var candidates = _pods.Claimable(owner.Metadata.Uid, owner.Metadata.Namespace).Where(p => !PodState.IsFinished(p));
        var claimed = await _claims.ClaimAsync(owner, SelectorOf(owner), candidates, cancellationToken);
        var active = claimed.Where(PodState.IsActive).ToList();
        Exception? error = null;
        if (caughtUp && owner.Metadata.DeletionTimestamp is null) error = await ScaleAsync(key, owner, active, cancellationToken);
        var (reason, message) = error is null ? ((string?)null, (string?)null) : (active.Count < Replicas(owner) ? "FailedCreate" : "FailedDelete", error.Message);
        await WriteStatusAsync(key, owner, Count(owner, active, claimed.Count - active.Count), reason, message, cancellationToken);
        if (error is not null and not ApiException { IsNamespaceTerminating: true }) throw error;
    }

    private async Task<Exception?> ScaleAsync(string key, T owner, List<Pod> active, CancellationToken ct)
    {
        var difference = active.Count - Replicas(owner);
        if (difference == 0) return null;
        if (difference < 0)
        {
            var wanted = Math.Min(-difference, BurstReplicas);
            _expectations.ExpectCreations(key, wanted);
            var template = TemplateOf(owner);
            var (done, error) = await PodControl.SlowStartAsync(wanted, _ => _control.CreateAsync(PodControl.FromTemplate(template, owner), owner, ct));
            for (var i = done; i < wanted; i++) _expectations.CreationObserved(key);
            return error;
        }
        var siblings = active.Where(p => p.Spec.NodeName.Length > 0).GroupBy(p => p.Spec.NodeName, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);
        var doomed = active.Order(new PodRanking(p => siblings.GetValueOrDefault(p.Spec.NodeName), Time.GetUtcNow())).Take(Math.Min(difference, BurstReplicas)).ToList();
        _expectations.ExpectDeletions(key, doomed.Select(p => p.Metadata.Uid));
        Exception? failed = null;
        await Task.WhenAll(doomed.Select(async pod =>
        {
            try
            {
                await _control.DeleteAsync(pod, owner, ct);
                if (_pods.Store.Get(KubeKey.Of(pod)) is null) _expectations.DeletionObserved(key, pod.Metadata.Uid);
            }
            catch (Exception e)
            {
                _expectations.DeletionObserved(key, pod.Metadata.Uid);
                failed = e;
            }
        }));
        return failed;
    }

    private ReplicaCounts Count(T owner, List<Pod> active, int terminating)
    {
        var now = Time.GetUtcNow();
        var labels = TemplateOf(owner).Metadata.Labels ?? [];
        var wait = MinReadySeconds(owner);
        return new ReplicaCounts(
            active.Count,
            active.Count(p => labels.All(l => p.Metadata.Labels?.GetValueOrDefault(l.Key) == l.Value)),
            active.Count(PodState.IsReady),
            active.Count(p => PodState.IsAvailable(p, wait, now)),
            terminating);
    }

    private async Task WriteStatusAsync(string key, T owner, ReplicaCounts counts, string? reason, string? message, CancellationToken ct)
    {
        if (WithStatus(owner, counts, reason, message) is { } changed)
        {
            try { await _client.UpdateStatusAsync(changed, ct); }
            catch (ApiException e) when (e.IsNotFound) { return; }
        }
        // Availability comes with time alone: no event will tell.
        if (MinReadySeconds(owner) > 0 && counts.Ready > counts.Available) Queue.AddAfter(key, TimeSpan.FromSeconds(Math.Min(MinReadySeconds(owner), 5)));
    }

    private void OwnerDeleted(T owner)
    {
        _expectations.Forget(KubeKey.Of(owner));
        Queue.Add(KubeKey.Of(owner));
    }

    private string? OwnerKey(Pod pod) =>
        OwnerReferences.ControllerOf(pod) is { } reference && reference.Kind == _kind && reference.ApiVersion == T.TypeSchema.ApiVersion ? KubeKey.Of(pod.Metadata.Namespace, reference.Name) : null;

    private void PodAdded(Pod pod)
    {
        if (PodState.IsTerminating(pod))
        {
            PodDeleted(pod);
            return;
        }
        if (OwnerKey(pod) is { } key)
        {
            _expectations.CreationObserved(key);
            Queue.Add(key);
        }
        else if (OwnerReferences.ControllerOf(pod) is null) EnqueueMatching(pod);
    }

    private void PodUpdated(Pod old, Pod pod)
    {
        if (PodState.IsTerminating(pod) && OwnerKey(pod) is { } dying) _expectations.DeletionObserved(dying, pod.Metadata.Uid);
        var before = OwnerKey(old);
        var after = OwnerKey(pod);
        if (before is not null && before != after) Queue.Add(before);
        if (after is not null) Queue.Add(after);
        else if (OwnerReferences.ControllerOf(pod) is null && !ReferenceEquals(old, pod)) EnqueueMatching(pod);
    }

    private void PodDeleted(Pod pod)
    {
        if (OwnerKey(pod) is not { } key) return;
        _expectations.DeletionObserved(key, pod.Metadata.Uid);
        Queue.Add(key);
    }

    private void EnqueueMatching(Pod pod)
    {
        foreach (var owner in _owners.Store.List(pod.Metadata.Namespace))
        {
            if (SelectorOf(owner).Matches(pod.Metadata.Labels)) Queue.Add(KubeKey.Of(owner));
        }
    }
}

/// <summary>How many Pods an owner has, by state.</summary>
internal readonly record struct ReplicaCounts(int Total, int FullyLabeled, int Ready, int Available, int Terminating);
