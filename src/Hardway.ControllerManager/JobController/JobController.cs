using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Hardway.Api;
using Hardway.Api.Batch.V1;
using Hardway.Api.Core.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Runs a Job's Pods to completion and counts each exactly once:
/// <code>
/// 1 ended Pods (they have the finalizer job-tracking) are noted in status.uncountedTerminatedPods   2 their finalizers are removed
/// 3 the notes become counts                                  a stop in between loses nothing and counts nothing twice
/// 4 the Job failed or succeeded: FailureTarget or SuccessCriteriaMet, active Pods are deleted, and when none is left Failed or Complete
/// 5 otherwise Pods are made or deleted until as many are active as should be, after failures with growing waits
/// </code>
/// </summary>
internal sealed class JobController : ClusterController
{
    private const string Account = "job-controller";
    private const int MostAtOnce = 500;
    private readonly EventRecorder _events;
    private readonly PodControl _control;
    private readonly Claims<Job, Pod> _claims;
    private readonly Expectations _expectations;
    private readonly WrittenVersions _written = new();

    /// <summary>Pods whose finalizer was removed and whose cached copy still has it: they are counted already.</summary>
    private readonly ConcurrentDictionary<string, bool> _released = new(StringComparer.Ordinal);
    private readonly Informer<Job> _jobs;
    private readonly Informer<Pod> _pods;

    public JobController(ControllerContext context) : base("job-controller", Account, context)
    {
        _events = EventsAs("job-controller");
        _control = new PodControl(Client, _events);
        _claims = new Claims<Job, Pod>(Client);
        _expectations = new Expectations(context.Time);
        _jobs = Watch<Job>();
        _pods = Watch<Pod>().AddPodIndexes();
        _jobs.AddHandler(j => Queue.Add(KubeKey.Of(j)), (_, j) => Queue.Add(KubeKey.Of(j)), JobDeleted);
        _pods.AddHandler(PodAdded, (_, p) => PodChanged(p), PodDeleted);
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_jobs.Store.Get(key)?.Clone() is not { } job)
        {
            _expectations.Forget(key);
            _written.Forget(key);
            await ReleaseAsync(_pods.Store.List(KubeKey.Split(key).Namespace).Where(p => JobRules.HasTracking(p) && KeyOf(p) == key), cancellationToken);
            return;
        }
        if (!_written.Seen(key, [job])) return;
        if (job.Spec.ManagedBy is { } manager && manager != "kubernetes.io/job-controller") return;
        var mine = await _claims.ClaimAsync(job, Selector.From(job.Spec.Selector), _pods.Claimable(job.Metadata.Uid, job.Metadata.Namespace), cancellationToken);
        if (JobRules.IsFinished(job) || job.Metadata.DeletionTimestamp is not null)
        {
            await ReleaseAsync(mine, cancellationToken);
            return;
        }
        var caughtUp = _expectations.Satisfied(key);
        var before = job.Status.Clone();
        if (job.Status.StartTime is null && !JobRules.IsSuspended(job)) job.Status.StartTime = Time.GetUtcNow();
        var work = new JobWork(job, mine, p => JobRules.HasTracking(p) && !_released.ContainsKey(p.Metadata.Uid), Time.GetUtcNow());
        if (caughtUp) work.Decide();
        Exception? error = null;
        if (caughtUp)
        {
            await DeletePodsAsync(key, job, work.Doomed, cancellationToken);
            if (work.Wait > TimeSpan.Zero) Queue.AddAfter(key, work.Wait);
            else error = await CreatePodsAsync(key, job, work, cancellationToken);
        }
        await CountAsync(key, job, before, work, cancellationToken);
        if (job.Spec.ActiveDeadlineSeconds is { } seconds && job.Status.StartTime is { } start && !JobRules.IsSuspended(job)) Queue.AddAfter(key, start.AddSeconds(seconds) - Time.GetUtcNow());
        if (error is not null and not ApiException { IsNamespaceTerminating: true }) throw error;
    }

    /// <summary>Steps 1 to 3, and the conditions with them.</summary>
    private async Task CountAsync(string key, Job job, JobStatus before, JobWork work, CancellationToken ct)
    {
        work.FillStatus();
        var noted = work.NoteUncounted();
        if (noted.Count > 0)
        {
            job = await WriteAsync(key, job, before, ct);
            before = job.Status.Clone();
            await ReleaseAsync(noted, ct);
            work.Adopt(job);
            work.CountReleased(noted);
        }
        work.Conclude();
        var finished = JobRules.Condition(job, "Complete") ?? JobRules.Condition(job, "Failed");
        var suspended = job.Status.Conditions?.Find(c => c.Type == "Suspended");
        var wasSuspended = before.Conditions?.Find(c => c.Type == "Suspended")?.Status == "True";
        await WriteAsync(key, job, before, ct);
        if (finished is { Type: "Complete" }) _events.Normal(job, "Completed", "Job completed");
        else if (finished is not null) _events.Warning(job, finished.Reason, finished.Message);
        if (suspended is not null && suspended.Status == "True" != wasSuspended) _events.Normal(job, wasSuspended ? "Resumed" : "Suspended", wasSuspended ? "Job resumed" : "Job suspended");
    }

    private async Task<Job> WriteAsync(string key, Job job, JobStatus before, CancellationToken ct)
    {
        if (ApiStruct.DeepEquals(job.Status, before)) return job;
        var written = await Client.UpdateStatusAsync(job, ct);
        _written.Wrote(key, written);
        return written;
    }

    private async Task DeletePodsAsync(string key, Job job, List<Pod> doomed, CancellationToken ct)
    {
        if (doomed.Count == 0) return;
        _expectations.ExpectDeletions(key, doomed.Select(p => p.Metadata.Uid));
        foreach (var pod in doomed)
        {
            try { await _control.DeleteAsync(pod, job, ct); }
            catch { _expectations.DeletionObserved(key, pod.Metadata.Uid); throw; }
        }
    }

    private async Task<Exception?> CreatePodsAsync(string key, Job job, JobWork work, CancellationToken ct)
    {
        var count = Math.Min(work.ToCreate, MostAtOnce);
        if (count <= 0) return null;
        _expectations.ExpectCreations(key, count);
        var (done, error) = await PodControl.SlowStartAsync(count, i => _control.CreateAsync(NewPod(job, work, work.Indexes.Count > 0 ? work.Indexes[i] : null), job, ct));
        for (var i = done; i < count; i++) _expectations.CreationObserved(key);
        return error;
    }

    private static Pod NewPod(Job job, JobWork work, int? index) => PodControl.FromTemplate(job.Spec.Template, job, pod =>
    {
        (pod.Metadata.Finalizers ??= []).Add(JobRules.Tracking);
        if (index is not { } number) return;
        var text = $"{number}";
        (pod.Metadata.Annotations ??= new Dictionary<string, string>(StringComparer.Ordinal))[JobRules.CompletionIndex] = text;
        (pod.Metadata.Labels ??= new Dictionary<string, string>(StringComparer.Ordinal))[JobRules.CompletionIndex] = text;
        if (job.Spec.BackoffLimitPerIndex is not null)
        {
            var (counted, ignored) = work.FailuresOf(number);
            JobRules.NoteFailures(pod, counted, ignored);
        }
        pod.Metadata.GenerateName = $"{job.Metadata.Name}-{text}-";
        pod.Spec.Hostname = $"{job.Metadata.Name}-{text}";
        foreach (var container in (pod.Spec.InitContainers ?? []).Concat(pod.Spec.Containers ?? []))
        {
            if (container.Env?.Exists(e => e.Name == "JOB_COMPLETION_INDEX") == true) continue;
            (container.Env ??= []).Add(new EnvVar { Name = "JOB_COMPLETION_INDEX", ValueFrom = new EnvVarSource { FieldRef = new ObjectFieldSelector { FieldPath = $"metadata.labels['{JobRules.CompletionIndex}']" } } });
        }
    });

    private async Task ReleaseAsync(IEnumerable<Pod> pods, CancellationToken ct)
    {
        foreach (var pod in pods.Where(JobRules.HasTracking))
        {
            if (!_released.TryAdd(pod.Metadata.Uid, true)) continue;
            var kept = new JsonArray([.. pod.Metadata.Finalizers!.Where(f => f != JobRules.Tracking).Select(f => (JsonNode)f)]);
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid, ["resourceVersion"] = pod.Metadata.ResourceVersion, ["finalizers"] = kept } };
            try
            {
                await Client.PatchAsync<Pod>(pod.Metadata.Namespace, pod.Metadata.Name, PatchType.Merge, Encoding.UTF8.GetBytes(patch.ToJsonString()), ct);
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                _released.TryRemove(pod.Metadata.Uid, out _);
            }
            catch
            {
                _released.TryRemove(pod.Metadata.Uid, out _);
                throw;
            }
        }
    }

    private static string? KeyOf(Pod pod) => OwnerReferences.ControllerOf(pod) is { Kind: "Job" } owner ? KubeKey.Of(pod.Metadata.Namespace, owner.Name) : null;

    private void JobDeleted(Job job)
    {
        _written.Forget(KubeKey.Of(job));
        Queue.Add(KubeKey.Of(job));
    }

    private void PodAdded(Pod pod)
    {
        if (KeyOf(pod) is not { } key) return;
        _expectations.CreationObserved(key);
        Queue.Add(key);
    }

    private void PodChanged(Pod pod)
    {
        if (!JobRules.HasTracking(pod)) _released.TryRemove(pod.Metadata.Uid, out _);
        if (KeyOf(pod) is not { } key) return;
        if (PodState.IsTerminating(pod)) _expectations.DeletionObserved(key, pod.Metadata.Uid);
        Queue.Add(key);
    }

    private void PodDeleted(Pod pod)
    {
        _released.TryRemove(pod.Metadata.Uid, out _);
        if (KeyOf(pod) is not { } key) return;
        _expectations.DeletionObserved(key, pod.Metadata.Uid);
        Queue.Add(key);
    }
}
