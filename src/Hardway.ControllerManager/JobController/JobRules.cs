using System.Globalization;
using Hardway.Api.Batch.V1;
using Hardway.Api.Core.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>What follows from a Job and its Pods: pure.</summary>
internal static class JobRules
{
    public const string Tracking = "batch.kubernetes.io/job-tracking";
    public const string CompletionIndex = "batch.kubernetes.io/job-completion-index";

    /// <summary>On the Pod of an index: how often the index failed before it (KEP-3850). It outlives the Pods that failed.</summary>
    public const string IndexFailures = "batch.kubernetes.io/job-index-failure-count";
    private const string IgnoredFailures = "batch.kubernetes.io/job-index-ignored-failure-count";
    private static readonly TimeSpan _firstWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _longestWait = TimeSpan.FromMinutes(10);

    public static bool IsIndexed(Job job) => job.Spec.CompletionMode == "Indexed";

    public static bool IsSuspended(Job job) => job.Spec.Suspend == true;

    public static JobCondition? Condition(Job job, string type) => job.Status.Conditions?.Find(c => c.Type == type && c.Status == "True");

    public static bool IsFinished(Job job) => Condition(job, "Complete") is not null || Condition(job, "Failed") is not null;

    public static bool HasTracking(Pod pod) => pod.Metadata.Finalizers?.Contains(Tracking) == true;

    public static int? IndexOf(Pod pod) =>
        pod.Metadata.Annotations?.GetValueOrDefault(CompletionIndex) is { } text && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;

    /// <summary>Failures and ignored failures of an index up to and with this Pod.</summary>
    public static (int Counted, int Ignored) FailuresUpTo(Job job, Pod pod)
    {
        var (counted, ignored) = (Annotation(pod, IndexFailures), Annotation(pod, IgnoredFailures));
        if (!CountsAsFailed(job, pod)) return (counted, ignored);
        return Policy(job, pod) is ("Ignore", _, _) ? (counted, ignored + 1) : (counted + 1, ignored);
    }

    /// <summary>Notes on a new Pod what its index went through.</summary>
    public static void NoteFailures(Pod pod, int counted, int ignored)
    {
        var annotations = pod.Metadata.Annotations ??= new Dictionary<string, string>(StringComparer.Ordinal);
        annotations[IndexFailures] = counted.ToString(CultureInfo.InvariantCulture);
        if (ignored > 0) annotations[IgnoredFailures] = ignored.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Must a replacement wait for the end of a Pod that is being deleted?</summary>
    public static bool WaitsForEnd(Job job) => job.Spec.PodReplacementPolicy == "Failed" || job.Spec.PodFailurePolicy is not null;

    private static int Annotation(Pod pod, string name) =>
        pod.Metadata.Annotations?.GetValueOrDefault(name) is { } text && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0;

    /// <summary>A Pod that will not succeed any more counts as failed: also one that is being deleted, unless a replacement waits for its end.</summary>
    public static bool CountsAsFailed(Job job, Pod pod)
    {
        if (pod.Status.Phase == "Failed") return true;
        return PodState.IsTerminating(pod) && pod.Status.Phase != "Succeeded" && !WaitsForEnd(job);
    }

    public static int WantedActive(Job job, int active, int succeeded)
    {
        var parallelism = job.Spec.Parallelism ?? 1;
        if (job.Spec.Completions is not { } completions) return succeeded > 0 ? Math.Min(active, parallelism) : parallelism;
        return Math.Max(0, Math.Min(parallelism, completions - succeeded));
    }

    /// <summary>How long to wait with new Pods after failures: 10 s, doubling, since the last one ended.</summary>
    public static TimeSpan BackoffLeft(IEnumerable<Pod> failed, DateTimeOffset now)
    {
        var ends = failed.Select(EndOf).Where(e => e is not null).Select(e => e!.Value).Order().ToList();
        if (ends.Count == 0) return TimeSpan.Zero;
        var wait = _firstWait * Math.Pow(2, Math.Min(ends.Count - 1, 10));
        var left = ends[^1] + (wait < _longestWait ? wait : _longestWait) - now;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    public static DateTimeOffset? EndOf(Pod pod)
    {
        var ends = (pod.Status.ContainerStatuses ?? []).Select(c => c.State.Terminated?.FinishedAt).Where(t => t is not null).ToList();
        return ends.Count > 0 ? ends.Max() : PodState.Condition(pod, "Ready")?.LastTransitionTime ?? pod.Metadata.DeletionTimestamp ?? pod.Metadata.CreationTimestamp;
    }

    /// <summary>Why the Job must fail, or null.</summary>
    public static (string Reason, string Message)? Failure(Job job, int failed, IReadOnlyCollection<Pod> pods, IReadOnlyCollection<int> failedIndexes, DateTimeOffset now)
    {
        foreach (var pod in pods.Where(p => p.Status.Phase == "Failed"))
        {
            if (Policy(job, pod) is ("FailJob", var rule, var why)) return ("PodFailurePolicy", $"{why} matching FailJob rule at index {rule}");
        }
        var limit = job.Spec.BackoffLimit ?? (job.Spec.BackoffLimitPerIndex is null ? 6 : int.MaxValue);
        if (failed > limit) return ("BackoffLimitExceeded", "Job has reached the specified backoff limit");
        if (job.Spec.Template.Spec.RestartPolicy == "OnFailure" && pods.Where(p => p.Status.Phase is "Running" or "Pending").Sum(Restarts) is var restarts && (limit == 0 ? restarts > 0 : restarts >= limit))
            return ("BackoffLimitExceeded", "Job has reached the specified backoff limit");
        if (job.Spec.MaxFailedIndexes is { } most && failedIndexes.Count > most) return ("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
        if (job.Spec.ActiveDeadlineSeconds is { } seconds && job.Status.StartTime is { } start && !IsSuspended(job) && now >= start.AddSeconds(seconds)) return ("DeadlineExceeded", "Job was active longer than specified deadline");
        return null;
    }

    /// <summary>The first rule of the Job's pod failure policy that the failed Pod matches.</summary>
    public static (string Action, int Rule, string Why)? Policy(Job job, Pod pod)
    {
        var rules = job.Spec.PodFailurePolicy?.Rules ?? [];
        for (var i = 0; i < rules.Count; i++)
        {
            if (rules[i].OnExitCodes is { } codes)
            {
                foreach (var status in (pod.Status.InitContainerStatuses ?? []).Concat(pod.Status.ContainerStatuses ?? []))
                {
                    if (status.State.Terminated is not { ExitCode: not 0 } ended || (codes.ContainerName is { } name && name != status.Name)) continue;
                    if ((codes.Values ?? []).Contains(ended.ExitCode) == (codes.Operator == "In")) return (rules[i].Action, i, $"Container {status.Name} for pod {KubeKey.Of(pod)} failed with exit code {ended.ExitCode}");
                }
            }
            foreach (var pattern in rules[i].OnPodConditions ?? [])
            {
                if (PodState.Condition(pod, pattern.Type) is { } condition && condition.Status == (pattern.Status.Length == 0 ? "True" : pattern.Status))
                    return (rules[i].Action, i, $"Pod {KubeKey.Of(pod)} has condition {pattern.Type}");
            }
        }
        return null;
    }

    /// <summary>The rule of the success policy that says enough indexes succeeded, or null.</summary>
    public static int? SuccessRule(Job job, SortedSet<int> completed)
    {
        var rules = job.Spec.SuccessPolicy?.Rules ?? [];
        for (var i = 0; i < rules.Count; i++)
        {
            var counted = rules[i].SucceededIndexes is { } wanted ? IndexSet.Parse(wanted) : null;
            var matched = counted is null ? completed.Count : completed.Count(counted.Contains);
            if (rules[i].SucceededCount is { } count ? matched >= count : counted is not null && matched == counted.Count) return i;
        }
        return null;
    }

    private static int Restarts(Pod pod) => (pod.Status.InitContainerStatuses ?? []).Concat(pod.Status.ContainerStatuses ?? []).Sum(c => c.RestartCount);
}
