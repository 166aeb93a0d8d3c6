using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Scheduler.Plugins.NodeAffinity;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.Volumes;

/// <summary>What can be told of claims without writing anything. Pure over the listers.</summary>
internal static class VolumeClaims
{
    private const string BindCompleted = "pv.kubernetes.io/bind-completed";
    private const string NoProvisioner = "kubernetes.io/no-provisioner";

    /// <summary>Claims the Pod names, and those that its ephemeral volumes will be given.</summary>
    public static List<string> Names(Pod pod)
    {
        var names = new List<string>();
        foreach (var volume in pod.Spec.Volumes ?? [])
        {
            if (volume.PersistentVolumeClaim is { } claim)
            {
                names.Add(claim.ClaimName);
            }
            else if (volume.Ephemeral is not null)
            {
                names.Add($"{pod.Metadata.Name}-{volume.Name}");
            }
        }

        return names;
    }

    public static bool IsBound(PersistentVolumeClaim claim) =>
        claim.Spec.VolumeName.Length > 0 && claim.Metadata.Annotations?.ContainsKey(BindCompleted) == true;

    /// <summary>Does the claim's class bind only when a Pod needs it?</summary>
    public static bool Waits(PersistentVolumeClaim claim, IClusterListers listers) =>
        listers.StorageClass(claim.Spec.StorageClassName ?? "")?.VolumeBindingMode == "WaitForFirstConsumer";

    public static bool Provisionable(PersistentVolumeClaim claim, IClusterListers listers) =>
        listers.StorageClass(claim.Spec.StorageClassName ?? "") is { } @class && @class.Provisioner != NoProvisioner;

    /// <summary>The smallest free volume that the claim could have on this node.</summary>
    public static PersistentVolume? FindVolume(PersistentVolumeClaim claim, NodeInfo node, IClusterListers listers)
    {
        var wanted = claim.Spec.Resources.Requests?.GetValueOrDefault("storage") ?? Quantity.Zero;
        var selector = claim.Spec.Selector is null ? Selector.Everything : Selector.From(claim.Spec.Selector);
        return listers.Volumes()
            .Where(v => Fits(v, claim) && selector.Matches(v.Metadata.Labels) && Capacity(v) >= wanted
                && (v.Spec.NodeAffinity?.Required is not { } required || NodeSelectors.Matches(required, node)))
            .OrderBy(Capacity).ThenBy(v => v.Metadata.Name, StringComparer.Ordinal).FirstOrDefault();
    }

    private static Quantity Capacity(PersistentVolume volume) => volume.Spec.Capacity?.GetValueOrDefault("storage") ?? Quantity.Zero;

    private static bool Fits(PersistentVolume volume, PersistentVolumeClaim claim) =>
        volume.Metadata.DeletionTimestamp is null
        && (volume.Spec.ClaimRef is null ? volume.Status.Phase is "Available" or "" : volume.Spec.ClaimRef.Namespace == claim.Metadata.Namespace && volume.Spec.ClaimRef.Name == claim.Metadata.Name && volume.Spec.ClaimRef.Uid is "" || volume.Spec.ClaimRef?.Uid == claim.Metadata.Uid)
        && volume.Spec.StorageClassName == (claim.Spec.StorageClassName ?? "")
        && (volume.Spec.VolumeMode ?? "Filesystem") == (claim.Spec.VolumeMode ?? "Filesystem")
        && (claim.Spec.AccessModes ?? []).TrueForAll(m => volume.Spec.AccessModes?.Contains(m) == true);
}
