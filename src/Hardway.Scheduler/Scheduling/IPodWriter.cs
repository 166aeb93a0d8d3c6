using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Scheduling;

/// <summary>What the scheduler tells the API about Pods.</summary>
internal interface IPodWriter
{
    Task BindAsync(PodInfo pod, string node, CancellationToken cancel);

    /// <summary>Condition PodScheduled=False and an event, and the nominated node when room is being made. Never throws for the API's refusal.</summary>
    Task UnschedulableAsync(PodInfo pod, string message, string? nominatedNode, CancellationToken cancel);

    Task PreemptAsync(PodInfo victim, PodInfo preemptor, string node, CancellationToken cancel);

    void BindingFailed(PodInfo pod, string message);
}
