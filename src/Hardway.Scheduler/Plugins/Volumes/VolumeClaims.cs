using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Scheduler.Plugins.NodeAffinity;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.Volumes;

/// <summary>What can be told of claims without writing anything. Pure over the listers.</summary>
internal static class VolumeClaims
{
    public const string SelectedNode = "volume.kubernetes.io/selected-node";
    private const string BindCompleted = "pv.kubernetes.io/bind-completed";
    private const string NoProvisioner = "kubernetes.io/no-provisioner";

    public static bool IsBound(PersistentVolumeClaim claim) =>
        claim.Spec.VolumeName.Length > 0 && claim.Metadata.Annotations?.ContainsKey(BindCompleted) == true;

    /// <summary>Does the claim's class bind only when a Pod needs it?</summary>
    public static bool Waits(PersistentVolumeClaim claim, IClusterListers listers) =>
        claim.Spec.VolumeName.Length == 0 && listers.StorageClass(claim.Spec.StorageClassName ?? "")?.VolumeBindingMode == "WaitForFirstConsumer";

    /// <summary>Could the class make a volume for the claim that this node can use? The topologies of a class are alternatives.</summary>
    public static bool Provisionable(PersistentVolumeClaim claim, NodeInfo node, IClusterListers listers)
    {
        if (listers.StorageClass(claim.Spec.StorageClassName ?? "") is not { } @class || @class.Provisioner is NoProvisioner or "")
        {
            return false;
        }

        return @class.AllowedTopologies is not { Count: > 0 } topologies
            || topologies.Exists(t => (t.MatchLabelExpressions ?? []).TrueForAll(e => node.Labels?.TryGetValue(e.Key, out var value) == true && e.Values?.Contains(value!) == true));
    }

    /// <summary>Drivers that publish their capacity must have enough of it where the node is (KEP-1472).</summary>
    public static bool HasCapacity(PersistentVolumeClaim claim, NodeInfo node, IClusterListers listers)
    {
        var @class = listers.StorageClass(claim.Spec.StorageClassName ?? "")!;
        if (listers.CsiDriver(@class.Provisioner)?.Spec.StorageCapacity != true)
        {
            return true;
        }

        var wanted = Wanted(claim);
        return listers.StorageCapacities().Any(c => c.StorageClassName == @class.Metadata.Name && (c.MaximumVolumeSize ?? c.Capacity) is { } size && size >= wanted
            && Selector.From(c.NodeTopology).Matches(node.Labels));
    }

    /// <summary>The smallest free volume that the claim could have on this node; reserved ones belong to other claims.</summary>
    public static PersistentVolume? FindVolume(PersistentVolumeClaim claim, NodeInfo node, IClusterListers listers, Func<string, bool> taken)
    {
        var wanted = Wanted(claim);
        var selector = claim.Spec.Selector is null ? Selector.Everything : Selector.From(claim.Spec.Selector);
        PersistentVolume? best = null;
        foreach (var volume in listers.VolumesOf(claim.Spec.StorageClassName ?? ""))
        {
            if (!Fits(volume, claim) || Capacity(volume) < wanted || (volume.Spec.NodeAffinity?.Required is { } required && !NodeSelectors.Matches(required, node)))
            {
                continue;
            }

            if (volume.Spec.ClaimRef is not null)
            {
                return volume; // made for this claim: nothing is better
            }

            if (selector.Matches(volume.Metadata.Labels) && !taken(volume.Metadata.Name)
                && (best is null || (Capacity(volume), volume.Metadata.Name).CompareTo((Capacity(best), best.Metadata.Name)) < 0))
            {
                best = volume;
            }
        }

        return best;
    }

    private static Quantity Wanted(PersistentVolumeClaim claim) => claim.Spec.Resources.Requests?.GetValueOrDefault("storage") ?? Quantity.Zero;

    private static Quantity Capacity(PersistentVolume volume) => volume.Spec.Capacity?.GetValueOrDefault("storage") ?? Quantity.Zero;

    private static bool Fits(PersistentVolume volume, PersistentVolumeClaim claim) =>
        volume.Metadata.DeletionTimestamp is null
        && IsFreeFor(volume, claim)
        && volume.Spec.StorageClassName == (claim.Spec.StorageClassName ?? "")
        && (volume.Spec.VolumeAttributesClassName ?? "") == (claim.Spec.VolumeAttributesClassName ?? "")
        && (volume.Spec.VolumeMode ?? "Filesystem") == (claim.Spec.VolumeMode ?? "Filesystem")
        && (claim.Spec.AccessModes ?? []).TrueForAll(m => volume.Spec.AccessModes?.Contains(m) == true);

    private static bool IsFreeFor(PersistentVolume volume, PersistentVolumeClaim claim) => volume.Spec.ClaimRef is not { } owner
        ? volume.Status.Phase is "Available" or ""
        : owner.Namespace == claim.Metadata.Namespace && owner.Name == claim.Metadata.Name && (owner.Uid.Length == 0 || owner.Uid == claim.Metadata.Uid);
}
