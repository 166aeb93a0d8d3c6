using Hardway.Api.Batch.V1;
using Hardway.Api.Core.V1;

namespace Hardway.ControllerManager;

/// <summary>One look at a Job: its Pods sorted, what to make and delete, and its status. Changes only the Job's own copy; asks nobody.</summary>
internal sealed class JobWork(Job job, List<Pod> pods, Func<Pod, bool> tracked, DateTimeOffset now)
{
    private readonly DateTimeOffset _now = now;
    private readonly Func<Pod, bool> _tracked = tracked;
    private readonly List<Pod> _pods = pods;
    private readonly List<Pod> _active = [.. pods.Where(PodState.IsActive)];
    private Job _job = job;
    private (string Reason, string Message)? _failure;
    private bool _success;

    /// <summary>Active Pods that must go.</summary>
    public List<Pod> Doomed { get; } = [];

    public int ToCreate { get; private set; }

    /// <summary>For an indexed Job: the indexes of the Pods to make.</summary>
    public List<int?> Indexes { get; } = [];

    /// <summary>Time to wait before Pods are made.</summary>
    public TimeSpan Wait { get; private set; }

    public void Adopt(Job written) => _job = written;

    public void Decide()
    {
        var succeeded = Succeeded();
        _success = IsSuccess(succeeded);
        _failure = JobRules.Condition(_job, "FailureTarget") is { } target ? (target.Reason, target.Message)
            : _success || JobRules.Condition(_job, "SuccessCriteriaMet") is not null ? null : JobRules.Failure(_job, Failed(), _pods, FailedIndexes(), _now);
        _success |= JobRules.Condition(_job, "SuccessCriteriaMet") is not null && _failure is null;
        if (_failure is not null || _success || JobRules.IsSuspended(_job))
        {
            Doomed.AddRange(_active);
            return;
        }
        if (JobRules.IsIndexed(_job)) DecideIndexed();
        else DecidePlain(succeeded);
    }

    /// <summary>Counts of living Pods, and the condition Suspended.</summary>
    public void FillStatus()
    {
        var status = _job.Status;
        status.Active = Math.Max(0, _active.Count - Doomed.Count);
        status.Ready = _active.Count(p => PodState.IsReady(p) && !Doomed.Contains(p));
        status.Terminating = _pods.Count(IsEnding);
        if (JobRules.IsSuspended(_job))
        {
            Set("Suspended", "True", "JobSuspended", "Job suspended");
            status.StartTime = null;
        }
        else if (status.Conditions?.Exists(c => c.Type == "Suspended" && c.Status == "True") == true)
        {
            Set("Suspended", "False", "JobResumed", "Job resumed");
            status.StartTime = _now;
        }
    }

    /// <summary>Puts Pods that ended into the status' notes; these are then released. Notes whose Pod is released already become counts at once.</summary>
    public List<Pod> NoteUncounted()
    {
        var status = _job.Status;
        var notes = status.UncountedTerminatedPods ??= new UncountedTerminatedPods();
        var tracked = _pods.Where(_tracked).ToDictionary(p => p.Metadata.Uid, StringComparer.Ordinal);
        CountNotes(uid => !tracked.ContainsKey(uid));
        foreach (var pod in tracked.Values)
        {
            if (pod.Status.Phase == "Succeeded" && notes.Succeeded?.Contains(pod.Metadata.Uid) != true) (notes.Succeeded ??= []).Add(pod.Metadata.Uid);
            else if (JobRules.CountsAsFailed(_job, pod) && notes.Failed?.Contains(pod.Metadata.Uid) != true && !IsIgnored(pod)) (notes.Failed ??= []).Add(pod.Metadata.Uid);
        }
        if (JobRules.IsIndexed(_job))
        {
            status.CompletedIndexes = IndexSet.Format(CompletedIndexes());
            if (_job.Spec.BackoffLimitPerIndex is not null) status.FailedIndexes = IndexSet.Format(FailedIndexes());
        }
        return [.. tracked.Values.Where(p => PodState.IsFinished(p) || JobRules.CountsAsFailed(_job, p))];
    }

    public void CountReleased(List<Pod> released)
    {
        var uids = released.Select(p => p.Metadata.Uid).ToHashSet(StringComparer.Ordinal);
        CountNotes(uids.Contains);
    }

    /// <summary>The conditions of the end.</summary>
    public void Conclude()
    {
        if (_job.Status.UncountedTerminatedPods is { Succeeded: null or { Count: 0 }, Failed: null or { Count: 0 } }) _job.Status.UncountedTerminatedPods = new UncountedTerminatedPods();
        if (_failure is not { } && !_success) return;
        var empty = _pods.All(p => PodState.IsFinished(p)) && _job.Status.UncountedTerminatedPods is not { Succeeded.Count: > 0 } and not { Failed.Count: > 0 };
        if (_failure is var (reason, message))
        {
            Set("FailureTarget", "True", reason, message);
            if (empty) Set("Failed", "True", reason, message);
            return;
        }
        var (why, text) = JobRules.SuccessRule(_job, CompletedIndexes()) is { } rule
            ? ("SuccessPolicy", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Matched rules at index {rule}")) : ("CompletionsReached", "Reached expected number of succeeded pods");
        Set("SuccessCriteriaMet", "True", why, text);
        if (!empty) return;
        Set("Complete", "True", why, text);
        _job.Status.CompletionTime ??= _now;
    }

    private bool IsSuccess(int succeeded)
    {
        if (JobRules.SuccessRule(_job, CompletedIndexes()) is not null) return true;
        if (_job.Spec.Completions is { } completions)
        {
            if (JobRules.IsIndexed(_job) && FailedIndexes().Count > 0) return false;
            return succeeded >= completions;
        }
        return succeeded > 0 && _active.Count == 0 && _pods.All(p => !PodState.IsTerminating(p) || PodState.IsFinished(p));
    }

    private void DecidePlain(int succeeded)
    {
        var terminating = JobRules.WaitsForEnd(_job) ? _pods.Count(IsEnding) : 0;
        var wanted = JobRules.WantedActive(_job, _active.Count, succeeded);
        if (_active.Count > wanted) Doomed.AddRange(_active.OrderBy(PodState.IsReady).ThenByDescending(p => p.Metadata.CreationTimestamp).Take(_active.Count - wanted));
        ToCreate = Math.Max(0, wanted - _active.Count - terminating);
        if (ToCreate > 0) Wait = JobRules.BackoffLeft(_pods.Where(p => JobRules.CountsAsFailed(_job, p)), _now);
    }

    private void DecideIndexed()
    {
        var completions = _job.Spec.Completions ?? 0;
        var done = CompletedIndexes();
        var failedForGood = FailedIndexes();
        HashSet<int> running = [];
        foreach (var pod in _active)
        {
            if (JobRules.IndexOf(pod) is not { } index || index >= completions || done.Contains(index) || failedForGood.Contains(index) || !running.Add(index)) Doomed.Add(pod);
        }
        if (done.Count + failedForGood.Count >= completions && failedForGood.Count > 0 && running.Count == 0)
        {
            _failure = ("FailedIndexes", "Job has failed indexes");
            return;
        }
        var ending = JobRules.WaitsForEnd(_job) ? _pods.Where(IsEnding).Select(JobRules.IndexOf).ToHashSet() : [];
        var room = (_job.Spec.Parallelism ?? 1) - running.Count - ending.Count;
        if (room < 0 && ending.Count == 0) Doomed.AddRange(_active.Except(Doomed).OrderByDescending(JobRules.IndexOf).Take(-room));
        for (var i = 0; i < completions && Indexes.Count < room; i++)
        {
            if (!done.Contains(i) && !failedForGood.Contains(i) && !running.Contains(i) && !ending.Contains(i)) Indexes.Add(i);
        }
        ToCreate = Indexes.Count;
        if (ToCreate > 0) Wait = JobRules.BackoffLeft(_pods.Where(p => JobRules.CountsAsFailed(_job, p) && Indexes.Contains(JobRules.IndexOf(p))), _now);
    }

    private int Succeeded()
    {
        if (JobRules.IsIndexed(_job)) return CompletedIndexes().Count;
        var notes = _job.Status.UncountedTerminatedPods?.Succeeded ?? [];
        return _job.Status.Succeeded + notes.Count + _pods.Count(p => p.Status.Phase == "Succeeded" && _tracked(p) && !notes.Contains(p.Metadata.Uid));
    }

    private int Failed()
    {
        var notes = _job.Status.UncountedTerminatedPods?.Failed ?? [];
        return _job.Status.Failed + notes.Count + _pods.Count(p => JobRules.CountsAsFailed(_job, p) && _tracked(p) && !notes.Contains(p.Metadata.Uid) && !IsIgnored(p));
    }

    private SortedSet<int> CompletedIndexes()
    {
        var all = IndexSet.Parse(_job.Status.CompletedIndexes);
        foreach (var pod in _pods.Where(p => p.Status.Phase == "Succeeded"))
        {
            if (JobRules.IndexOf(pod) is { } index && index < (_job.Spec.Completions ?? 0)) all.Add(index);
        }
        return all;
    }

    private SortedSet<int> FailedIndexes()
    {
        var all = IndexSet.Parse(_job.Status.FailedIndexes);
        if (_job.Spec.BackoffLimitPerIndex is not { } limit) return all;
        foreach (var pod in _pods.Where(p => JobRules.CountsAsFailed(_job, p)))
        {
            if (JobRules.IndexOf(pod) is not { } index || IsIgnored(pod)) continue;
            if (FailuresOf(index).Counted > limit || JobRules.Policy(_job, pod) is ("FailIndex", _, _)) all.Add(index);
        }
        return all;
    }

    /// <summary>How often the index failed: what the last Pod knew of the past, and its own end; never less than the failed Pods that are still there.</summary>
    public (int Counted, int Ignored) FailuresOf(int index)
    {
        var pods = _pods.Where(p => JobRules.IndexOf(p) == index).ToList();
        var noted = pods.Select(p => JobRules.FailuresUpTo(_job, p)).OrderBy(f => f.Counted + f.Ignored).LastOrDefault();
        var here = pods.Count(p => JobRules.CountsAsFailed(_job, p) && !IsIgnored(p));
        return (Math.Max(noted.Counted, here), noted.Ignored);
    }

    private static bool IsEnding(Pod pod) => PodState.IsTerminating(pod) && !PodState.IsFinished(pod);

    private bool IsIgnored(Pod pod) => JobRules.Policy(_job, pod) is ("Ignore", _, _);

    private void CountNotes(Func<string, bool> released)
    {
        var status = _job.Status;
        if (status.UncountedTerminatedPods is not { } notes) return;
        var succeeded = notes.Succeeded?.RemoveAll(u => released(u)) ?? 0;
        status.Failed += notes.Failed?.RemoveAll(u => released(u)) ?? 0;
        status.Succeeded = JobRules.IsIndexed(_job) ? IndexSet.Parse(status.CompletedIndexes).Count : status.Succeeded + succeeded;
    }

    private void Set(string type, string value, string reason, string message)
    {
        var conditions = _job.Status.Conditions ??= [];
        var current = conditions.Find(c => c.Type == type);
        if (current is null) conditions.Add(current = new JobCondition { Type = type });
        if (current.Status == value && current.Reason == reason) return;
        if (current.Status != value) current.LastTransitionTime = _now;
        (current.Status, current.Reason, current.Message, current.LastProbeTime) = (value, reason, message, _now);
    }
}
