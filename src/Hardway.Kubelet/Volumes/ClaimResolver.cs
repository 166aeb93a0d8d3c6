using Hardway.Api.Core.V1;
using Hardway.Kubelet.Sources;

namespace Hardway.Kubelet.Volumes;

/// <summary>Finds the PersistentVolume behind a Pod's volume: by its claim, or by the claim that was made for the Pod (ephemeral).</summary>
internal sealed class ClaimResolver(ApiObjects objects)
{
    public static bool IsClaim(Volume volume) => volume.PersistentVolumeClaim != null || volume.Ephemeral != null;

    public async Task<(PersistentVolume Volume, PersistentVolumeClaim Claim)> FindAsync(Pod pod, Volume volume, CancellationToken stop)
    {
        var name = volume.PersistentVolumeClaim?.ClaimName ?? $"{pod.Metadata.Name}-{volume.Name}";
        var claim = await objects.ClaimAsync(pod.Metadata.Namespace, name, stop) ?? throw new VolumeException($"persistentvolumeclaim \"{name}\" not found");
        if (volume.Ephemeral != null && claim.Metadata.OwnerReferences?.Exists(o => o.Uid == pod.Metadata.Uid && o.Controller == true) != true)
            throw new VolumeException($"persistentvolumeclaim \"{name}\" was not made for this Pod, which has an ephemeral volume of that name");
        if (claim.Status.Phase != "Bound" || claim.Spec.VolumeName.Length == 0)
            throw new VolumeException($"persistentvolumeclaim \"{name}\" is not bound to a volume");
        var found = await objects.PersistentVolumeAsync(claim.Spec.VolumeName, stop) ?? throw new VolumeException($"persistentvolume \"{claim.Spec.VolumeName}\" not found");
        if (found.Spec.ClaimRef?.Uid is { Length: > 0 } uid && uid != claim.Metadata.Uid)
            throw new VolumeException($"persistentvolume \"{found.Metadata.Name}\" is bound to another claim");
        return (found, claim);
    }
}
