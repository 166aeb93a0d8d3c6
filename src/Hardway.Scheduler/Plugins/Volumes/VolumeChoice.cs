using Hardway.Api.Core.V1;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.Volumes;

/// <summary>What an unbound claim gets: this volume, or, when there is none, one that its provisioner makes for the node.</summary>
internal sealed record VolumeChoice(PersistentVolumeClaim Claim, PersistentVolume? Volume);

/// <summary>Writes the scheduler's choices to claims and volumes and waits until all claims of the Pod are bound.</summary>
internal interface IVolumeBinder
{
    Task<Refusal?> BindAsync(PodInfo pod, string node, IReadOnlyList<VolumeChoice> choices, CancellationToken cancel);
}
