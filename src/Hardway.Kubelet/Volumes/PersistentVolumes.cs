using Hardway.Api.Core.V1;
using Hardway.Kubelet.Csi;
using Hardway.Kubelet.Sources;
using Hardway.Linux.Files;
using Hardway.Linux.Mounts;

namespace Hardway.Kubelet.Volumes;

/// <summary>Mounts the kinds of PersistentVolumes that a node can mount: hostPath, local, NFS and CSI, and the inline volumes of the last two.</summary>
internal sealed class PersistentVolumes(ClaimResolver claims, CsiVolumes csi, ApiObjects objects, PodDirectories directories)
{
    private const string LocalPlugin = "kubernetes.io~local-volume", NfsPlugin = "kubernetes.io~nfs";

    public static bool Handles(Volume volume) => ClaimResolver.IsClaim(volume) || volume.Nfs != null || volume.Csi != null;

    public async Task<MountedVolume> SetUpAsync(Pod pod, Volume volume, CancellationToken stop)
    {
        if (volume.Nfs is { } nfs)
            return await NfsAsync(pod, volume.Name, nfs, [], nfs.ReadOnly, stop);
        if (volume.Csi is { } inline)
            return await csi.SetUpInlineAsync(pod, volume.Name, inline, stop);
        var (persistent, claim) = await claims.FindAsync(pod, volume, stop);
        var readOnly = volume.PersistentVolumeClaim?.ReadOnly == true;
        var spec = persistent.Spec;
        if (spec.Csi is { } driven)
            return await csi.SetUpAsync(pod, persistent, driven, claim, readOnly || driven.ReadOnly, stop);
        if (spec.Local is { } local)
            return await LocalAsync(pod, persistent, local, readOnly, stop);
        if (spec.HostPath is { } host)
            return new MountedVolume(HostPath.Prepare(host), readOnly);
        if (spec.Nfs is { } share)
            return await NfsAsync(pod, persistent.Metadata.Name, share, spec.MountOptions ?? [], readOnly || share.ReadOnly, stop);
        throw new VolumeException($"persistentvolume \"{persistent.Metadata.Name}\" is of a kind that this kubelet does not mount; csi, local, hostPath and nfs are");
    }

    /// <summary>A directory is bound, a block device with a file system is mounted, or handed over as it is when the claim says Block.</summary>
    private async Task<MountedVolume> LocalAsync(Pod pod, PersistentVolume volume, LocalVolumeSource source, bool readOnly, CancellationToken stop)
    {
        await RequireThisNodeAsync(volume, stop);
        var kind = FileKind.Of(source.Path);
        if (volume.Spec.VolumeMode == "Block")
            return kind == UnixFileKind.Block ? new MountedVolume(source.Path, readOnly, true) : throw new VolumeException($"path {source.Path} of local volume \"{volume.Metadata.Name}\" is not a block device");
        var target = directories.Volume(pod, LocalPlugin, volume.Metadata.Name);
        if (!MountTable.IsMountPoint(target))
        {
            Directory.CreateDirectory(target);
            switch (kind)
            {
                case UnixFileKind.Directory:
                    Mounter.Bind(source.Path, target, readOnly);
                    break;
                case UnixFileKind.Block:
                    await BlockDevice.FormatAndMountAsync(source.Path, target, source.FsType ?? "ext4", volume.Spec.MountOptions ?? [], stop);
                    break;
                default:
                    throw new VolumeException($"path {source.Path} of local volume \"{volume.Metadata.Name}\" is neither a directory nor a block device on this node");
            }
        }
        if (!readOnly)
            VolumeOwnership.Give(pod, target);
        return new MountedVolume(target, readOnly);
    }

    private async Task RequireThisNodeAsync(PersistentVolume volume, CancellationToken stop)
    {
        if (volume.Spec.NodeAffinity?.Required is { } required && !NodeSelection.Matches(required, await objects.NodeAsync(stop)))
            throw new VolumeException($"persistentvolume \"{volume.Metadata.Name}\" is for other nodes (its nodeAffinity does not match this one)");
    }

    private async Task<MountedVolume> NfsAsync(Pod pod, string name, NFSVolumeSource source, IReadOnlyList<string> options, bool readOnly, CancellationToken stop)
    {
        var target = directories.Volume(pod, NfsPlugin, name);
        if (!MountTable.IsMountPoint(target))
        {
            Directory.CreateDirectory(target);
            var server = source.Server.Contains(':', StringComparison.Ordinal) && !source.Server.StartsWith('[') ? $"[{source.Server}]" : source.Server;
            await MountProgram.MountAsync("nfs", $"{server}:{source.Path}", target, [.. options, .. readOnly ? (string[])["ro"] : []], stop);
        }
        return new MountedVolume(target, readOnly);
    }
}
