using System.Globalization;
using Hardway.Hosting;
using Hardway.Scheduler.Queue;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler;

/// <summary>Upstream's main kube-scheduler metrics. Any thread.</summary>
internal sealed class SchedulerMetrics(Metrics metrics)
{
    private readonly Counter _attempts = metrics.Counter("scheduler_schedule_attempts_total", "Number of attempts to schedule pods, by the result.", "result", "profile");
    private readonly Histogram _attemptTime = metrics.Histogram("scheduler_scheduling_attempt_duration_seconds", "Time of an attempt to schedule a pod, from the queue to the end of its binding.", null, "result", "profile");
    private readonly Histogram _algorithmTime = metrics.Histogram("scheduler_scheduling_algorithm_duration_seconds", "Time to find a node for a pod.");
    private readonly Histogram _podTime = metrics.Histogram("scheduler_pod_scheduling_sli_duration_seconds", "Time from a pod's coming into the queue to its binding.", null, "attempts");
    private readonly Histogram _podAttempts = metrics.Histogram("scheduler_pod_scheduling_attempts", "Number of attempts until a pod was scheduled.", [1, 2, 4, 8, 16]);
    private readonly Counter _preemptions = metrics.Counter("scheduler_preemption_attempts_total", "Number of times that room was made for a pod.");
    private readonly Histogram _victims = metrics.Histogram("scheduler_preemption_victims", "Number of pods that had to go for one.", [1, 2, 4, 8, 16, 32, 64]);
    private readonly Counter _incoming = metrics.Counter("scheduler_queue_incoming_pods_total", "Number of pods that came into a part of the queue, by the event.", "queue", "event");

    /// <summary>Gauges that are read when they are scraped, and the queue's own counter.</summary>
    public void Watch(SchedulingQueue queue, ClusterState state)
    {
        queue.Incoming = (part, why) => _incoming.Inc(part, why);
        (string Label, QueuePlace Place)[] parts =
            [("active", QueuePlace.Active), ("backoff", QueuePlace.Backoff), ("unschedulable", QueuePlace.Unschedulable), ("gated", QueuePlace.Gated)];
        metrics.Gauge("scheduler_pending_pods", "Number of pods that wait, by the part of the queue.", ["queue"], gauge =>
        {
            foreach (var (label, place) in parts)
            {
                gauge.Set(queue.Count(place), label);
            }
        });
        metrics.Gauge("scheduler_cache_size", "Number of nodes, pods and assumed pods that the scheduler knows.", ["type"], gauge =>
        {
            lock (state.Lock)
            {
                gauge.Set(state.Nodes.Length, "nodes");
                gauge.Set(state.PodCount, "pods");
                gauge.Set(state.AssumedCount, "assumed_pods");
            }
        });
    }

    public void Attempt(string result, string profile, TimeSpan took)
    {
        _attempts.Inc(result, profile);
        _attemptTime.Observe(took, result, profile);
    }

    public void Algorithm(TimeSpan took) => _algorithmTime.Observe(took);

    public void Scheduled(int attempts, TimeSpan since)
    {
        _podAttempts.Observe(attempts);
        _podTime.Observe(since, attempts > 15 ? "16+" : attempts.ToString(CultureInfo.InvariantCulture));
    }

    public void Preemption(int victims)
    {
        _preemptions.Inc();
        _victims.Observe(victims);
    }
}
