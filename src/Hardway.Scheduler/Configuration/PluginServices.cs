using System.Collections.Concurrent;
using Hardway.Api.Resource.V1;
using Hardway.Scheduler.Plugins.DynamicResources;
using Hardway.Scheduler.Plugins.Volumes;
using Hardway.Scheduler.Scheduling;

namespace Hardway.Scheduler.Configuration;

/// <summary>What plugins write with, and chance.</summary>
internal sealed record PluginServices(IPodWriter Pods, Func<TimeSpan, IVolumeBinder> Volumes, IClaimWriter Claims, Random Random)
{
    /// <summary>Devices found and not yet seen in their claims, by the claim's uid; one for all profiles.</summary>
    public ConcurrentDictionary<string, AllocationResult> PendingDevices { get; } = new(StringComparer.Ordinal);

    /// <summary>Volumes that are being bound to a Pod's claims, by Pod; one for all profiles.</summary>
    public ConcurrentDictionary<string, List<VolumeChoice>> ReservedVolumes { get; } = new(StringComparer.Ordinal);
}
