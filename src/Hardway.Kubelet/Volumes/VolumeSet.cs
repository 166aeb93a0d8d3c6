using System.Buffers;
using Hardway.Api.Core.V1;
using Hardway.Kubelet.Csi;
using Hardway.Kubelet.Sources;
using Hardway.Linux.Files;
using Hardway.Linux.Mounts;

namespace Hardway.Kubelet.Volumes;

/// <summary>
/// A Pod's volumes on this node: made before its containers, brought up to date while it runs, taken away when it has ended.
/// Every step is repeatable; nothing is remembered but what is on disk and when tokens expire. One caller at a time a Pod.
/// </summary>
internal sealed class VolumeSet(PodDirectories directories, ProjectedData data, ImageVolumes images, PersistentVolumes persistent, CsiVolumes csi, NodeFacts node, TimeProvider time)
{
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");
    private const UnixFileMode Open = (UnixFileMode)0x1FF, Everyone = (UnixFileMode)0x1ED;

    /// <summary>Makes what is missing and refreshes what has changed; returns where each volume is on the host.</summary>
    public async Task<IReadOnlyDictionary<string, MountedVolume>> SetUpAsync(Pod pod, IReadOnlyList<string> podIps, CancellationToken stop)
    {
        var paths = new Dictionary<string, MountedVolume>(StringComparer.Ordinal);
        var pending = new List<Task<(string Name, MountedVolume Path)>>();
        foreach (var volume in pod.Spec.Volumes ?? [])
            pending.Add(OneAsync(pod, volume, podIps, stop));
        foreach (var (name, path) in await Task.WhenAll(pending))
            paths[name] = path;
        return paths;
    }

    /// <summary>Refreshes the volumes that are made from data. True when one changed.</summary>
    public async Task RefreshAsync(Pod pod, IReadOnlyList<string> podIps, CancellationToken stop)
    {
        foreach (var volume in (pod.Spec.Volumes ?? []).Where(IsFromData))
            await OneAsync(pod, volume, podIps, stop);
    }

    /// <summary>
    /// Takes all of a Pod's files away: 1. binds of parts of volumes, 2. drivers' volumes, by their drivers, 3. all other mounts, 4. the files, when
    /// nothing is mounted among them any more (or somebody's data would go with them).
    /// </summary>
    public async Task TearDownAsync(string uid, CancellationToken stop)
    {
        var directory = directories.Of(uid);
        if (!Directory.Exists(directory))
            return;
        Mounter.UnmountBelow(directory + "/volume-subpaths");
        await csi.TearDownAsync(uid, stop);
        Mounter.UnmountBelow(directory);
        if (MountTable.Below(directory) is [var left, ..])
            throw new IOException($"{left} is still mounted");
        Directory.Delete(directory, true);
    }

    /// <summary>What is to be looked at again while the Pod runs.</summary>
    private static bool IsFromData(Volume volume) => volume.ConfigMap != null || volume.Secret != null || volume.DownwardAPI != null || volume.Projected != null || volume.Csi != null;

    private async Task<(string, MountedVolume)> OneAsync(Pod pod, Volume volume, IReadOnlyList<string> podIps, CancellationToken stop)
    {
        CheckName(volume.Name);
        try
        {
            if (volume.Image is { } image)
                return (volume.Name, await images.SetUpAsync(pod, volume, image, stop));
            if (PersistentVolumes.Handles(volume))
                return (volume.Name, await persistent.SetUpAsync(pod, volume, stop));
            return (volume.Name, new MountedVolume(await PathAsync(pod, volume, podIps, stop)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or Client.ApiException or HttpRequestException)
        {
            throw new VolumeException($"MountVolume.SetUp failed for volume \"{volume.Name}\" : {e.Message}");
        }
    }

    private async Task<string> PathAsync(Pod pod, Volume volume, IReadOnlyList<string> podIps, CancellationToken stop)
    {
        if (volume.EmptyDir is { } empty)
            return EmptyDir(pod, volume.Name, empty);
        if (volume.HostPath is { } host)
            return HostPath.Prepare(host);
        if (volume.ConfigMap is { } map)
            return Write(pod, volume.Name, "kubernetes.io~configmap", false, await data.ConfigMapAsync(pod, map.Name, map.Items, map.Optional == true, Mode(map.DefaultMode), stop));
        if (volume.Secret is { } secret)
            return Write(pod, volume.Name, "kubernetes.io~secret", true, await data.SecretAsync(pod, secret.SecretName, secret.Items, secret.Optional == true, Mode(secret.DefaultMode), stop));
        if (volume.DownwardAPI is { } downward)
            return Write(pod, volume.Name, "kubernetes.io~downward-api", false, ProjectedData.Downward(pod, downward.Items, Mode(downward.DefaultMode), podIps, node));
        if (volume.Projected is { } projected)
            return Write(pod, volume.Name, "kubernetes.io~projected", true, await data.ProjectedAsync(pod, volume.Name, projected, Mode(projected.DefaultMode), podIps, stop));
        throw new VolumeException($"volume \"{volume.Name}\" is of a kind that this kubelet does not mount; emptyDir, hostPath, configMap, secret, downwardAPI, projected, persistentVolumeClaim, ephemeral, nfs, csi and image are");
    }

    private string EmptyDir(Pod pod, string name, EmptyDirVolumeSource source)
    {
        if (source.Medium is not ("" or "Memory"))
            throw new VolumeException($"emptyDir volume \"{name}\" has medium '{source.Medium}'; \"\" and Memory are supported");
        var path = directories.Volume(pod, "kubernetes.io~empty-dir", name);
        if (Directory.Exists(path) && (source.Medium != "Memory" || MountTable.IsMountPoint(path)))
            return path;
        Directory.CreateDirectory(path);
        if (source.Medium == "Memory")
            Mounter.Tmpfs(path, MemorySize(pod, source), Open);
        File.SetUnixFileMode(path, Open);
        GiveToGroup(pod, path, false);
        return path;
    }

    /// <summary>The volume's own limit, the Pod's memory limit or the node's memory, whichever is least.</summary>
    private long MemorySize(Pod pod, EmptyDirVolumeSource source)
    {
        var size = node.Machine.MemoryBytes;
        if (Qos.PodResources.Limits(pod, "memory") is { IsZero: false } limit)
            size = Math.Min(size, limit.Value);
        return source.SizeLimit is { IsZero: false } own ? Math.Min(size, own.Value) : size;
    }

    private string Write(Pod pod, string name, string plugin, bool inMemory, IReadOnlyList<VolumeFile> files)
    {
        var path = directories.Volume(pod, plugin, name);
        Directory.CreateDirectory(path);
        if (inMemory && !MountTable.IsMountPoint(path))
            Mounter.Tmpfs(path, 0, Open);
        File.SetUnixFileMode(path, Open);
        AtomicWriter.Write(path, files, time, directory =>
        {
            File.SetUnixFileMode(directory, Everyone);
            GiveToGroup(pod, directory, true);
        });
        return path;
    }

    private static void GiveToGroup(Pod pod, string path, bool readOnly)
    {
        if (pod.Spec.SecurityContext?.FsGroup is { } group)
            FileOwner.GiveToGroup(path, group, readOnly);
    }

    private static UnixFileMode Mode(int? mode) => (UnixFileMode)((mode ?? 0x1A4) & 0xFFF);

    private static void CheckName(string name)
    {
        if (name.Length is 0 or > 63 || name.AsSpan().ContainsAnyExcept(NameCharacters))
            throw new VolumeException($"'{name}' is not a name of a volume");
    }
}
