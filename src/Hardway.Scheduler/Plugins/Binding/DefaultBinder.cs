using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Scheduling;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.Binding;

/// <summary>Writes the Pod's binding subresource.</summary>
internal sealed class DefaultBinder(IPodWriter writer) : Plugin, IBind
{
    public override string Name => nameof(DefaultBinder);

    public override ClusterEvents Wakes => ClusterEvents.None;

    public Task BindAsync(PodInfo pod, string node, CancellationToken cancel) => writer.BindAsync(pod, node, cancel);
}
