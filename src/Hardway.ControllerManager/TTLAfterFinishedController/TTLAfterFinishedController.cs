using Hardway.Api.Batch.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>Deletes Jobs that ended ttlSecondsAfterFinished ago, after a live look: the time may have been changed. Keys are Jobs.</summary>
internal sealed class TTLAfterFinishedController : ClusterController
{
    private readonly Informer<Job> _jobs;

    public TTLAfterFinishedController(ControllerContext context) : base("ttl-after-finished-controller", "ttl-after-finished-controller", context)
    {
        _jobs = Watch<Job>();
        _jobs.AddHandler(Changed, (_, j) => Changed(j));
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_jobs.Store.Get(key) is not { } job || ExpiresAt(job) is not { } at) return;
        if (at > Time.GetUtcNow())
        {
            Queue.AddAfter(key, at - Time.GetUtcNow());
            return;
        }
        var live = await Client.TryGetAsync<Job>(job.Metadata.Namespace, job.Metadata.Name, cancellationToken);
        if (live is null || live.Metadata.Uid != job.Metadata.Uid || ExpiresAt(live) is not { } still || still > Time.GetUtcNow()) return;
        await Client.DeleteAsync<Job>(live.Metadata.Namespace, live.Metadata.Name, new DeleteOptions { PropagationPolicy = "Foreground", Preconditions = new Preconditions { Uid = live.Metadata.Uid } }, cancellationToken);
    }

    internal static DateTimeOffset? ExpiresAt(Job job)
    {
        if (job.Metadata.DeletionTimestamp is not null || job.Spec.TtlSecondsAfterFinished is not { } seconds) return null;
        return (JobRules.Condition(job, "Complete") ?? JobRules.Condition(job, "Failed"))?.LastTransitionTime?.AddSeconds(seconds);
    }

    private void Changed(Job job)
    {
        if (ExpiresAt(job) is not null) Queue.Add(KubeKey.Of(job));
    }
}
