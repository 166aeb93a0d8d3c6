using Hardway.Api.Core.V1;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Pods;
using Hardway.Kubelet.Volumes;
using Hardway.Linux.Files;
using Hardway.Linux.Mounts;
using Container = Hardway.Api.Core.V1.Container;

namespace Hardway.Kubelet.Containers;

/// <summary>
/// A container's mounts: its volumes (a subPath is opened inside its volume and bound to a place of its own, so that no link in
/// the volume leads out), /etc/hosts and the termination file.
/// </summary>
internal sealed class MountBuilder(PodDirectories directories)
{
    public List<Mount> Build(Pod pod, Container container, uint attempt, IReadOnlyDictionary<string, MountedVolume> volumes, IReadOnlyDictionary<string, string> environment)
    {
        var mounts = new List<Mount>();
        var index = 0;
        foreach (var mount in container.VolumeMounts ?? [])
        {
            if (!volumes.TryGetValue(mount.Name, out var volume))
                throw Refused($"cannot find volume \"{mount.Name}\" to mount into container \"{container.Name}\"");
            var subPath = mount.SubPathExpr.Length > 0 ? Expand(mount.SubPathExpr, environment) : mount.SubPath;
            if (volume.Image is { } image)
            {
                mounts.Add(new Mount { ContainerPath = mount.MountPath, Image = new ImageSpec { Image = image }, ImageSubPath = subPath, Readonly = true });
                continue;
            }
            mounts.Add(new Mount
            {
                ContainerPath = mount.MountPath.StartsWith('/') ? mount.MountPath : "/" + mount.MountPath,
                HostPath = subPath.Length > 0 ? BindSubPath(pod, container, mount.Name, volume.Path, subPath, index) : volume.Path,
                Readonly = mount.ReadOnly || volume.ReadOnly,
                Propagation = mount.MountPropagation switch
                {
                    "HostToContainer" => MountPropagation.PropagationHostToContainer,
                    "Bidirectional" => MountPropagation.PropagationBidirectional,
                    _ => MountPropagation.PropagationPrivate,
                },
            });
            index++;
        }
        if (!mounts.Exists(m => m.ContainerPath == "/etc/hosts") && File.Exists(directories.EtcHosts(pod)))
            mounts.Add(new Mount { ContainerPath = "/etc/hosts", HostPath = directories.EtcHosts(pod) });
        if (container.TerminationMessagePath.Length > 0)
            mounts.Add(new Mount { ContainerPath = container.TerminationMessagePath, HostPath = TerminationFile(pod, container, attempt) });
        return mounts;
    }

    /// <summary>The block devices that the container gets as they are.</summary>
    public static IEnumerable<Device> Devices(Container container, IReadOnlyDictionary<string, MountedVolume> volumes)
    {
        foreach (var device in container.VolumeDevices ?? [])
        {
            if (!volumes.TryGetValue(device.Name, out var volume) || !volume.IsBlock)
                throw Refused($"volume \"{device.Name}\" of container \"{container.Name}\" is no block device");
            yield return new Device { ContainerPath = device.DevicePath, HostPath = volume.Path, Permissions = volume.ReadOnly ? "r" : "mrw" };
        }
    }

    private string TerminationFile(Pod pod, Container container, uint attempt)
    {
        var path = directories.TerminationLog(pod, container.Name, attempt);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, []);
        File.SetUnixFileMode(path, (UnixFileMode)0x1B6);
        return path;
    }

    private string BindSubPath(Pod pod, Container container, string volume, string source, string subPath, int index)
    {
        try
        {
            // As open as its volume, or those whom the volume is for could not use it.
            using var opened = BeneathPath.OpenOrCreateDirectory(source, subPath, (UnixFileMode)((int)File.GetUnixFileMode(source) & 0x1FF));
            var target = directories.SubPath(pod, volume, container.Name, index);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            if (MountTable.IsMountPoint(target))
                Mounter.Unmount(target);
            if (BeneathPath.IsDirectory(opened))
                Directory.CreateDirectory(target);
            else if (!File.Exists(target))
                File.Create(target).Dispose();
            Mounter.Bind(BeneathPath.NameOf(opened), target, false);
            return target;
        }
        catch (IOException e)
        {
            throw Refused($"failed to prepare subPath for volumeMount \"{volume}\" of container \"{container.Name}\": {e.Message}");
        }
    }

    private static string Expand(string expression, IReadOnlyDictionary<string, string> environment)
    {
        var result = EnvExpansion.Expand(expression, environment);
        return result.Contains("$(", StringComparison.Ordinal) ? throw Refused($"subPathExpr '{expression}' names a variable that is not set") : result;
    }

    private static ContainerConfigException Refused(string message) => new("CreateContainerConfigError", message);
}
