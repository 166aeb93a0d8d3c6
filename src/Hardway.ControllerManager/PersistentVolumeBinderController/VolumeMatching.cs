using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Storage.V1;

namespace Hardway.ControllerManager;

/// <summary>Which volume fits which claim: pure.</summary>
internal static class VolumeMatching
{
    public static string ClassOf(PersistentVolumeClaim claim) =>
        claim.Metadata.Annotations?.GetValueOrDefault("volume.beta.kubernetes.io/storage-class") ?? claim.Spec.StorageClassName ?? "";

    /// <summary>Neither names a class nor says that it wants none.</summary>
    public static bool NeedsDefaultClass(PersistentVolumeClaim claim) => claim.Spec.StorageClassName is null && claim.Metadata.Annotations?.ContainsKey("volume.beta.kubernetes.io/storage-class") != true;

    public static bool IsDefault(StorageClass @class) => @class.Metadata.Annotations is { } notes && (notes.GetValueOrDefault("storageclass.kubernetes.io/is-default-class") == "true" || notes.GetValueOrDefault("storageclass.beta.kubernetes.io/is-default-class") == "true");

    /// <summary>Of several defaults the newest, as admission takes it.</summary>
    public static StorageClass? DefaultClass(IEnumerable<StorageClass> classes) =>
        classes.Where(IsDefault).OrderByDescending(c => c.Metadata.CreationTimestamp).ThenBy(c => c.Metadata.Name, StringComparer.Ordinal).FirstOrDefault();

    public static bool IsFor(PersistentVolume volume, PersistentVolumeClaim claim) =>
        volume.Spec.ClaimRef is { } reference && reference.Namespace == claim.Metadata.Namespace && reference.Name == claim.Metadata.Name && (reference.Uid.Length == 0 || reference.Uid == claim.Metadata.Uid);

    /// <summary>Everything but who has it: class, access modes, mode, size, selector.</summary>
    public static bool Fits(PersistentVolume volume, PersistentVolumeClaim claim)
    {
        if (volume.Metadata.DeletionTimestamp is not null || (volume.Spec.StorageClassName ?? "") != ClassOf(claim)) return false;
        if ((volume.Spec.VolumeMode ?? "Filesystem") != (claim.Spec.VolumeMode ?? "Filesystem")) return false;
        if ((claim.Spec.AccessModes ?? []).Exists(m => volume.Spec.AccessModes?.Contains(m) != true)) return false;
        if (claim.Spec.Selector is { } selector && !Selector.From(selector).Matches(volume.Metadata.Labels)) return false;
        return !(Requested(claim) is { } wanted) || (Size(volume) is { } size && size >= wanted);
    }

    /// <summary>One that was made for the claim, otherwise the smallest free one that fits.</summary>
    public static PersistentVolume? Find(PersistentVolumeClaim claim, IEnumerable<PersistentVolume> volumes)
    {
        PersistentVolume? best = null;
        foreach (var volume in volumes.OrderBy(v => v.Metadata.Name, StringComparer.Ordinal))
        {
            if (!Fits(volume, claim)) continue;
            if (volume.Spec.ClaimRef is not null)
            {
                if (IsFor(volume, claim)) return volume;
                continue;
            }
            if (volume.Status.Phase is not ("Available" or "" or "Pending")) continue;
            if (best is null || (Size(volume) is { } size && Size(best) is { } smallest && size < smallest)) best = volume;
        }
        return best;
    }

    public static Quantity? Size(PersistentVolume volume) => volume.Spec.Capacity is { } capacity && capacity.TryGetValue("storage", out var size) ? size : null;

    public static Quantity? Requested(PersistentVolumeClaim claim) => claim.Spec.Resources.Requests is { } requests && requests.TryGetValue("storage", out var wanted) ? wanted : null;
}
