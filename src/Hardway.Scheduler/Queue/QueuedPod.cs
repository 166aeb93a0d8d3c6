using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Queue;

internal enum QueuePlace
{
    None,
    Active,
    Backoff,
    Unschedulable,
    Gated,
    InFlight,
}

/// <summary>A Pod on its way through the queue. Guarded by the queue's lock; while in flight it belongs to the scheduling cycle.</summary>
internal sealed class QueuedPod(PodInfo pod, long sequence)
{
    public PodInfo Pod { get; set; } = pod;
    public long Sequence { get; } = sequence;

    /// <summary>When it came into its place, for the order among equal priorities and for waits.</summary>
    public DateTimeOffset Timestamp { get; set; }

    public DateTimeOffset FirstAttempt { get; set; }
    public DateTimeOffset BackoffUntil { get; set; }
    public int Attempts { get; set; }
    public QueuePlace Place { get; set; }

    /// <summary>Plugins that refused it last; only events that they care about wake it.</summary>
    public IReadOnlyCollection<string> RefusedBy { get; set; } = [];

    /// <summary>While in flight: how many events had happened when it was taken.</summary>
    public long EventsSeen { get; set; }

    /// <summary>It changed itself while it was in flight, or more happened than is remembered.</summary>
    public bool MissedEvent { get; set; }
}
