using Hardway.Scheduler.Scheduling;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Bench;

/// <summary>An API that binds at once, and an informer that sees it at once.</summary>
internal sealed class InstantWriter(ClusterState state) : IPodWriter
{
    public int Count { get; private set; }

    public Task BindAsync(PodInfo pod, string node, CancellationToken cancel)
    {
        lock (state.Lock)
        {
            state.SetPod(pod);
        }

        Count++;
        return Task.CompletedTask;
    }

    public void Bound(PodInfo pod, string node)
    {
    }

    public Task UnschedulableAsync(PodInfo pod, string reason, string message, string? nominatedNode, CancellationToken cancel) =>
        throw new InvalidOperationException($"{pod.Key}: {message}");

    public Task PreemptAsync(PodInfo victim, PodInfo preemptor, string node, CancellationToken cancel) => Task.CompletedTask;

    public Task ClearNominationAsync(PodInfo pod, CancellationToken cancel) => Task.CompletedTask;
}
