using Hardway.Api.Core.V1;
using Hardway.Kubelet.Containers;
using Hardway.Kubelet.Images;
using Hardway.Kubelet.Sandboxes;

namespace Hardway.Kubelet.Volumes;

/// <summary>Volumes that are an image's files (KEP-4639): pulled like a container's image, and mounted by the runtime, if it can do that.</summary>
internal sealed class ImageVolumes(ImagePuller images, SandboxConfigBuilder sandboxes, string runtime)
{
    private static readonly Version FirstContainerd = new(2, 1);

    /// <exception cref="VolumeException">The image cannot be had, or the runtime does not mount images.</exception>
    public async Task<MountedVolume> SetUpAsync(Pod pod, Volume volume, ImageVolumeSource source, CancellationToken stop)
    {
        if (!Mounts(runtime))
            throw new VolumeException($"image volume \"{volume.Name}\" needs a runtime that mounts images, such as containerd {FirstContainerd} or later; this node has {runtime}");
        var asContainer = new Container { Name = volume.Name, Image = source.Reference, ImagePullPolicy = source.PullPolicy };
        try
        {
            var image = await images.EnsureAsync(pod, asContainer, sandboxes.Build(pod, 0), stop);
            return new MountedVolume("", true, Image: image.Id);
        }
        catch (ContainerConfigException e)
        {
            throw new VolumeException($"image volume \"{volume.Name}\": {e.Message}");
        }
    }

    /// <summary>Of the runtimes that say what they are, containerd mounts images since 2.1; CRI-O has for longer.</summary>
    internal static bool Mounts(string runtime) =>
        !runtime.StartsWith("containerd ", StringComparison.Ordinal) || (Version.TryParse(runtime["containerd ".Length..].TrimStart('v').Split('-', '+', '~')[0], out var version) && version >= FirstContainerd);
}
