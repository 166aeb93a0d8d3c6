using Hardway.Api.Core.V1;
using Hardway.Api.Resource.V1;
using Hardway.Client;
using ResourceClaim = Hardway.Api.Resource.V1.ResourceClaim;

namespace Hardway.ControllerManager;

/// <summary>Which ResourceClaims a Pod has and whether it still needs them: pure.</summary>
internal static class PodResourceClaims
{
    public const string PodClaimName = "resource.kubernetes.io/pod-claim-name";
    public const string ExtendedClaim = "resource.kubernetes.io/extended-resource-claim";

    /// <summary>Has what the Pod does with devices ended (or never begins)?</summary>
    public static bool IsDone(Pod pod) => PodState.IsFinished(pod) || (PodState.IsTerminating(pod) && pod.Spec.NodeName.Length == 0);

    /// <summary>The names of the claims the Pod uses, as far as they are known.</summary>
    public static IEnumerable<string> NamesOf(Pod pod)
    {
        foreach (var reference in pod.Spec.ResourceClaims ?? [])
        {
            var name = reference.ResourceClaimName ?? pod.Status.ResourceClaimStatuses?.Find(s => s.Name == reference.Name)?.ResourceClaimName;
            if (name is { Length: > 0 }) yield return name;
        }
        if (pod.Status.ExtendedResourceClaimStatus?.ResourceClaimName is { Length: > 0 } extended) yield return extended;
    }

    /// <summary>Was the claim made for this Pod (from a template, or by the scheduler for an extended resource)?</summary>
    public static bool IsMadeFor(ResourceClaim claim, Pod pod) => OwnerReferences.IsControlledBy(claim, pod);

    public static bool IsMade(ResourceClaim claim) => claim.Metadata.Annotations is { } notes && (notes.ContainsKey(PodClaimName) || notes.ContainsKey(ExtendedClaim));

    public static ResourceClaimConsumerReference ConsumerOf(Pod pod) => new() { Resource = "pods", Name = pod.Metadata.Name, Uid = pod.Metadata.Uid };
}
