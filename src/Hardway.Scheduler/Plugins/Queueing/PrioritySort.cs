using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.Queueing;

/// <summary>The more important Pod first, then the one that waits longer.</summary>
internal sealed class PrioritySort : Plugin, IQueueSort
{
    public override string Name => nameof(PrioritySort);

    public override ClusterEvents Wakes => ClusterEvents.None;

    public int Compare(PodInfo a, DateTimeOffset since, PodInfo b, DateTimeOffset sinceB) =>
        b.Priority.CompareTo(a.Priority) is var priority and not 0 ? priority : since.CompareTo(sinceB);
}
