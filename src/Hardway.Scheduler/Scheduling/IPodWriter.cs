using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Scheduling;

/// <summary>What the scheduler tells the API about Pods.</summary>
internal interface IPodWriter
{
    Task BindAsync(PodInfo pod, string node, CancellationToken cancel);

    /// <summary>Event Scheduled, once the binding is written, by whomever.</summary>
    void Bound(PodInfo pod, string node);

    /// <summary>Condition PodScheduled=False and an event, and the nominated node when room is being made. Never throws for the API's refusal.</summary>
    Task UnschedulableAsync(PodInfo pod, string reason, string message, string? nominatedNode, CancellationToken cancel);

    Task PreemptAsync(PodInfo victim, PodInfo preemptor, string node, CancellationToken cancel);

    /// <summary>The room that this Pod waited for goes to a more important one.</summary>
    Task ClearNominationAsync(PodInfo pod, CancellationToken cancel);
}
