using System.Globalization;
using Hardway.Hosting;
using Hardway.Scheduler.Queue;

namespace Hardway.Scheduler;

/// <summary>Upstream's main kube-scheduler metrics. Any thread.</summary>
internal sealed class SchedulerMetrics(Metrics metrics)
{
    private readonly Counter _attempts = metrics.Counter("scheduler_schedule_attempts_total", "Number of attempts to schedule pods, by the result.", "result", "profile");
    private readonly Histogram _attemptTime = metrics.Histogram("scheduler_scheduling_attempt_duration_seconds", "Scheduling attempt latency in seconds (scheduling algorithm + binding)", null, "result", "profile");
    private readonly Histogram _podTime = metrics.Histogram("scheduler_pod_scheduling_sli_duration_seconds", "E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue.", null, "attempts");
    private readonly Histogram _podAttempts = metrics.Histogram("scheduler_pod_scheduling_attempts", "Number of attempts to successfully schedule a pod.", [1, 2, 4, 8, 16]);
    private readonly Counter _preemptions = metrics.Counter("scheduler_preemption_attempts_total", "Total preemption attempts in the cluster till now");
    private readonly Histogram _victims = metrics.Histogram("scheduler_preemption_victims", "Number of selected preemption victims", [1, 2, 4, 8, 16, 32, 64]);
    private readonly Gauge _pending = metrics.Gauge("scheduler_pending_pods", "Number of pending pods, by the queue type.", "queue");

    public void Attempt(string result, string profile, TimeSpan took)
    {
        _attempts.Inc(result, profile);
        _attemptTime.Observe(took, result, profile);
    }

    public void Scheduled(int attempts, TimeSpan since)
    {
        _podAttempts.Observe(attempts);
        _podTime.Observe(since, attempts > 15 ? "15+" : attempts.ToString(CultureInfo.InvariantCulture));
    }

    public void Preemption(int victims)
    {
        if (victims > 0)
        {
            _preemptions.Inc();
            _victims.Observe(victims);
        }
    }

    public void Pending(SchedulingQueue queue)
    {
        _pending.Set(queue.Count(QueuePlace.Active), "active");
        _pending.Set(queue.Count(QueuePlace.Backoff), "backoff");
        _pending.Set(queue.Count(QueuePlace.Unschedulable), "unschedulable");
        _pending.Set(queue.Count(QueuePlace.Gated), "gated");
    }
}
