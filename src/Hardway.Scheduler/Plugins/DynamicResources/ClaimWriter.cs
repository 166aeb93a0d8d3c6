using Hardway.Api.Resource.V1;
using Hardway.Client;
using Hardway.Scheduler.State;
using ResourceClaim = Hardway.Api.Resource.V1.ResourceClaim;

namespace Hardway.Scheduler.Plugins.DynamicResources;

/// <summary>Writes devices and reservations to claims.</summary>
internal interface IClaimWriter
{
    /// <param name="claim">As it was seen.</param>
    /// <param name="allocation">For a claim without; null: the claim has its devices.</param>
    /// <param name="pod">Who will use it.</param>
    /// <param name="cancel">Ends the writing.</param>
    Task ReserveAsync(ResourceClaim claim, AllocationResult? allocation, PodInfo pod, CancellationToken cancel);
}

/// <summary>Through the API. The finalizer comes before the devices, so that a claim cannot go while it holds some.</summary>
internal sealed class ClaimWriter(KubeClient client) : IClaimWriter
{
    private const string Finalizer = "resource.kubernetes.io/delete-protection";
    private const int MaxTries = 5;

    public async Task ReserveAsync(ResourceClaim claim, AllocationResult? allocation, PodInfo pod, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await TryAsync(claim, allocation, pod, cancel).ConfigureAwait(false);
                return;
            }
            catch (ApiException e) when (e.IsConflict && attempt < MaxTries)
            {
                // somebody else wrote it meanwhile: read it again
            }
        }
    }

    private async Task TryAsync(ResourceClaim seen, AllocationResult? allocation, PodInfo pod, CancellationToken cancel)
    {
        var claim = await client.GetAsync<ResourceClaim>(seen.Metadata.Namespace, seen.Metadata.Name, cancel).ConfigureAwait(false);
        if (claim.Metadata.Uid != seen.Metadata.Uid || claim.Metadata.DeletionTimestamp is not null)
        {
            throw new InvalidOperationException($"resourceclaim {seen.Metadata.Name} was deleted");
        }

        if (claim.Status.ReservedFor?.Exists(r => r.Uid == pod.Uid) == true)
        {
            return;
        }

        if (claim.Status.Allocation is null)
        {
            claim = await GiveAsync(claim, allocation, cancel).ConfigureAwait(false);
        }

        (claim.Status.ReservedFor ??= []).Add(new ResourceClaimConsumerReference { Resource = "pods", Name = pod.Pod.Metadata.Name, Uid = pod.Uid });
        await client.UpdateStatusAsync(claim, cancel).ConfigureAwait(false);
    }

    private async Task<ResourceClaim> GiveAsync(ResourceClaim claim, AllocationResult? allocation, CancellationToken cancel)
    {
        if (allocation is null)
        {
            throw new InvalidOperationException($"resourceclaim {claim.Metadata.Name} lost its devices");
        }

        if (claim.Metadata.Finalizers?.Contains(Finalizer) != true)
        {
            (claim.Metadata.Finalizers ??= []).Add(Finalizer);
            claim = await client.UpdateAsync(claim, cancel).ConfigureAwait(false);
        }

        claim.Status.Allocation = (AllocationResult)allocation.DeepClone();
        claim.Status.Allocation.AllocationTimestamp = client.Time.GetUtcNow();
        return claim;
    }
}
