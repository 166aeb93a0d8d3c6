using System.Globalization;
using Hardway.Api;
using Hardway.Api.Batch.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Makes a Job at each time of the schedule. The Job's name is made from the CronJob's and the minute, so that no time runs twice, whoever leads.
/// Missed times: only the last one is made up for, and only within startingDeadlineSeconds.
/// </summary>
internal sealed class CronJobController : ClusterController
{
    private const string Account = "cronjob-controller";
    private readonly EventRecorder _events;
    private readonly Informer<CronJob> _crons;
    private readonly Informer<Job> _jobs;

    public CronJobController(ControllerContext context) : base("cronjob-controller", Account, context)
    {
        _events = EventsAs("cronjob-controller");
        _crons = Watch<CronJob>();
        _jobs = Watch<Job>();
        _crons.AddHandler(c => Queue.Add(KubeKey.Of(c)));
        _jobs.AddHandler(j => { if (OwnerReferences.ControllerOf(j) is { Kind: "CronJob" } owner) Queue.Add(KubeKey.Of(j.Metadata.Namespace, owner.Name)); });
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_crons.Store.Get(key)?.Clone() is not { } cron) return;
        var jobs = _jobs.Store.List(cron.Metadata.Namespace).Where(j => OwnerReferences.IsControlledBy(j, cron)).ToList();
        var before = cron.Status.Clone();
        await CleanupAsync(cron, jobs, cancellationToken);
        NoteJobs(cron, jobs);
        if (cron.Metadata.DeletionTimestamp is null && cron.Spec.Suspend != true) await ScheduleAsync(key, cron, cancellationToken);
        if (!ApiStruct.DeepEquals(before, cron.Status)) await Client.UpdateStatusAsync(cron, cancellationToken);
    }

    private void NoteJobs(CronJob cron, List<Job> jobs)
    {
        foreach (var job in jobs.Where(j => JobRules.IsFinished(j)))
        {
            if (cron.Status.Active?.RemoveAll(a => a.Uid == job.Metadata.Uid) > 0) _events.Normal(cron, "SawCompletedJob", $"Saw completed job: {job.Metadata.Name}, condition: {(JobRules.Condition(job, "Complete") is null ? "Failed" : "Complete")}");
            if (JobRules.Condition(job, "Complete") is not null && job.Status.CompletionTime is { } done && !(cron.Status.LastSuccessfulTime >= done)) cron.Status.LastSuccessfulTime = done;
        }
        foreach (var job in jobs.Where(j => !JobRules.IsFinished(j)))
        {
            if (cron.Status.Active?.Exists(a => a.Uid == job.Metadata.Uid) != true) (cron.Status.Active ??= []).Add(Reference(job));
        }
        if (cron.Status.Active?.RemoveAll(a => !jobs.Exists(j => j.Metadata.Uid == a.Uid) && _jobs.Store.Get(cron.Metadata.Namespace, a.Name) is null) > 0) _events.Normal(cron, "MissingJob", "Active job went missing");
        if (cron.Status.Active is { Count: 0 }) cron.Status.Active = null;
    }

    private async Task ScheduleAsync(string key, CronJob cron, CancellationToken ct)
    {
        if (Parse(cron) is not { } schedule) return;
        var now = Time.GetUtcNow();
        var (due, missed) = LastDue(cron, schedule, now);
        if (schedule.Next(now) is { } next) Queue.AddAfter(key, next - now + TimeSpan.FromMilliseconds(100));
        if (due is not { } at) return;
        if (missed > 100) _events.Warning(cron, "TooManyMissedTimes", $"too many missed start times: {missed}. Set or decrease .spec.startingDeadlineSeconds or check clock skew");
        if (cron.Spec.StartingDeadlineSeconds is { } deadline && at.AddSeconds(deadline) < now)
        {
            _events.Warning(cron, "MissSchedule", $"Missed scheduled time to start a job: {at.UtcDateTime:R}");
            return;
        }
        if (cron.Spec.ConcurrencyPolicy == "Forbid" && cron.Status.Active is { Count: > 0 })
        {
            _events.Normal(cron, "JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid");
            return;
        }
        if (cron.Spec.ConcurrencyPolicy == "Replace")
        {
            foreach (var active in cron.Status.Active ?? []) await DeleteAsync(cron, active.Namespace, active.Name, ct);
            cron.Status.Active = null;
        }
        await StartAsync(cron, at, ct);
    }

    /// <summary>The last time that should have run and did not, and how many were missed before it.</summary>
    internal static (DateTimeOffset? Due, int Missed) LastDue(CronJob cron, CronSchedule schedule, DateTimeOffset now)
    {
        var from = cron.Status.LastScheduleTime ?? cron.Metadata.CreationTimestamp ?? now;
        if (cron.Spec.StartingDeadlineSeconds is { } deadline && now.AddSeconds(-deadline) > from) from = now.AddSeconds(-deadline);
        DateTimeOffset? due = null;
        var missed = 0;
        for (var at = schedule.Next(from); at is { } time && time <= now; at = schedule.Next(time))
        {
            due = time;
            // Years of minutes are not counted one by one: from here the clock decides.
            if (++missed > 100_000) return (schedule.Next(now.AddDays(-1)) is { } late && late <= now ? LastWithin(schedule, now) : time, missed);
        }
        return (due, missed - 1);
    }

    private static DateTimeOffset? LastWithin(CronSchedule schedule, DateTimeOffset now)
    {
        DateTimeOffset? last = null;
        for (var at = schedule.Next(now.AddDays(-1)); at is { } time && time <= now; at = schedule.Next(time)) last = time;
        return last;
    }

    private CronSchedule? Parse(CronJob cron)
    {
        try
        {
            var zone = cron.Spec.TimeZone is { Length: > 0 } name ? TimeZoneInfo.FindSystemTimeZoneById(name) : TimeZoneInfo.Utc;
            return CronSchedule.Parse(cron.Spec.Schedule, zone);
        }
        catch (Exception e) when (e is FormatException or TimeZoneNotFoundException or InvalidTimeZoneException)
        {
            _events.Warning(cron, e is FormatException ? "UnparseableSchedule" : "UnknownTimeZone", $"invalid schedule: {cron.Spec.Schedule} : {e.Message}");
            return null;
        }
    }

    private async Task StartAsync(CronJob cron, DateTimeOffset at, CancellationToken ct)
    {
        var template = cron.Spec.JobTemplate;
        var job = new Job
        {
            Metadata = new ObjectMeta
            {
                Namespace = cron.Metadata.Namespace,
                Name = string.Create(CultureInfo.InvariantCulture, $"{cron.Metadata.Name}-{at.ToUnixTimeSeconds() / 60}"),
                Labels = template.Metadata.Labels,
                Annotations = new Dictionary<string, string>(template.Metadata.Annotations ?? [], StringComparer.Ordinal) { ["batch.kubernetes.io/cronjob-scheduled-timestamp"] = ApiTime.Format(at) },
                OwnerReferences = [OwnerReferences.Controlling(cron)],
            },
            Spec = template.Spec.Clone(),
        };
        Job made;
        try
        {
            made = await Client.CreateAsync(job, ct);
            _events.Normal(cron, "SuccessfulCreate", $"Created job {made.Metadata.Name}");
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            made = await Client.GetAsync<Job>(job.Metadata.Namespace, job.Metadata.Name, ct);
            if (!OwnerReferences.IsControlledBy(made, cron)) return;
        }
        catch (ApiException e)
        {
            _events.Warning(cron, "FailedCreate", $"Error creating job: {e.Message}");
            throw;
        }
        if (cron.Status.Active?.Exists(a => a.Uid == made.Metadata.Uid) != true) (cron.Status.Active ??= []).Add(Reference(made));
        cron.Status.LastScheduleTime = at;
    }

    private async Task CleanupAsync(CronJob cron, List<Job> jobs, CancellationToken ct)
    {
        foreach (var (type, limit) in new[] { ("Complete", cron.Spec.SuccessfulJobsHistoryLimit ?? 3), ("Failed", cron.Spec.FailedJobsHistoryLimit ?? 1) })
        {
            var ended = jobs.Where(j => JobRules.Condition(j, type) is not null).OrderBy(j => j.Status.StartTime).ThenBy(j => j.Metadata.Name, StringComparer.Ordinal).ToList();
            foreach (var job in ended.Take(Math.Max(0, ended.Count - limit))) await DeleteAsync(cron, job.Metadata.Namespace, job.Metadata.Name, ct);
        }
    }

    private async Task DeleteAsync(CronJob cron, string ns, string name, CancellationToken ct)
    {
        if (await Client.DeleteAsync<Job>(ns, name, new DeleteOptions { PropagationPolicy = "Background" }, ct)) _events.Normal(cron, "SuccessfulDelete", $"Deleted job {name}");
    }

    private static ObjectReference Reference(Job job) => new() { ApiVersion = "batch/v1", Kind = "Job", Namespace = job.Metadata.Namespace, Name = job.Metadata.Name, Uid = job.Metadata.Uid, ResourceVersion = job.Metadata.ResourceVersion };
}
