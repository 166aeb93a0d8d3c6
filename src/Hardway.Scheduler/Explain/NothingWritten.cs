using Hardway.Api.Resource.V1;
using Hardway.Scheduler.Configuration;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Plugins.DynamicResources;
using Hardway.Scheduler.Plugins.Volumes;
using Hardway.Scheduler.Scheduling;
using Hardway.Scheduler.State;
using ResourceClaim = Hardway.Api.Resource.V1.ResourceClaim;

namespace Hardway.Scheduler.Explain;

/// <summary>For plugins that are only asked: a write would be a fault of ours.</summary>
internal sealed class NothingWritten : IPodWriter, IVolumeBinder, IClaimWriter
{
    public static PluginServices Services()
    {
        var nothing = new NothingWritten();
        return new PluginServices(nothing, _ => nothing, nothing, new Random());
    }

    public Task BindAsync(PodInfo pod, string node, CancellationToken cancel) => throw Refused();

    public void Bound(PodInfo pod, string node) => throw Refused();

    public Task UnschedulableAsync(PodInfo pod, string reason, string message, string? nominatedNode, CancellationToken cancel) => throw Refused();

    public Task PreemptAsync(PodInfo victim, PodInfo preemptor, string node, CancellationToken cancel) => throw Refused();

    public Task ClearNominationAsync(PodInfo pod, CancellationToken cancel) => throw Refused();

    public Task<Refusal?> BindAsync(PodInfo pod, string node, IReadOnlyList<VolumeChoice> choices, CancellationToken cancel) => throw Refused();

    public Task ReserveAsync(ResourceClaim claim, AllocationResult? allocation, PodInfo pod, CancellationToken cancel) => throw Refused();

    private static InvalidOperationException Refused() => new("an explanation writes nothing");
}
