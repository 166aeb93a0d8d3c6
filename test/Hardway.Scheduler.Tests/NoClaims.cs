using Hardway.Api.Resource.V1;
using Hardway.Scheduler.Plugins.DynamicResources;
using Hardway.Scheduler.State;
using ResourceClaim = Hardway.Api.Resource.V1.ResourceClaim;

namespace Hardway.Scheduler.Tests;

/// <summary>For Pods without device claims.</summary>
internal sealed class NoClaims : IClaimWriter
{
    public Task ReserveAsync(ResourceClaim claim, AllocationResult? allocation, PodInfo pod, CancellationToken cancel) =>
        throw new InvalidOperationException($"{pod.Key} has no claim {claim.Metadata.Name}");
}
