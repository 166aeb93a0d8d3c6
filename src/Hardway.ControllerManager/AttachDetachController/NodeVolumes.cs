using System.Security.Cryptography;
using System.Text;
using Hardway.Api.Core.V1;
using Hardway.Api.Storage.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>Which volumes a node's Pods need attached, read from caches: only CSI volumes whose driver wants attaching.</summary>
internal sealed class NodeVolumes(Informer<Pod> pods, Informer<PersistentVolumeClaim> claims, Informer<PersistentVolume> volumes, Informer<CSIDriver> drivers)
{
    /// <summary>Volumes by name, each with the Pods that need it there.</summary>
    public Dictionary<string, (PersistentVolume Volume, List<Pod> Pods)> Wanted(string node)
    {
        Dictionary<string, (PersistentVolume Volume, List<Pod> Pods)> wanted = new(StringComparer.Ordinal);
        foreach (var pod in pods.OnNode(node).Where(p => !PodState.IsFinished(p)))
        {
            foreach (var volume in Of(pod))
            {
                if (!wanted.TryGetValue(volume.Metadata.Name, out var entry)) wanted[volume.Metadata.Name] = entry = (volume, []);
                entry.Pods.Add(pod);
            }
        }
        return wanted;
    }

    /// <summary>The name by which kubelet and node status speak of the volume.</summary>
    public static string UniqueName(PersistentVolume volume) => $"kubernetes.io/csi/{volume.Spec.Csi!.Driver}^{volume.Spec.Csi.VolumeHandle}";

    /// <summary>Upstream's name of the attachment: whoever makes it, there is one.</summary>
    public static string AttachmentName(PersistentVolume volume, string node) =>
        "csi-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(volume.Spec.Csi!.VolumeHandle + volume.Spec.Csi.Driver + node)));

    /// <summary>May it be on one node only?</summary>
    public static bool IsExclusive(PersistentVolume volume) => !(volume.Spec.AccessModes ?? []).Exists(m => m is "ReadWriteMany" or "ReadOnlyMany");

    private IEnumerable<PersistentVolume> Of(Pod pod)
    {
        foreach (var source in pod.Spec.Volumes ?? [])
        {
            var name = source.PersistentVolumeClaim?.ClaimName ?? (source.Ephemeral is not null ? $"{pod.Metadata.Name}-{source.Name}" : null);
            if (name is null || claims.Store.Get(pod.Metadata.Namespace, name) is not { Status.Phase: "Bound" } claim) continue;
            if (source.Ephemeral is not null && !OwnerReferences.IsControlledBy(claim, pod)) continue;
            if (volumes.Store.Get(claim.Spec.VolumeName) is { Spec.Csi: { } csi } volume && volume.Spec.ClaimRef?.Uid == claim.Metadata.Uid && drivers.Store.Get(csi.Driver)?.Spec.AttachRequired != false) yield return volume;
        }
    }
}
