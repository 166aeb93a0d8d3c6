using Hardway.Api.Core.V1;
using Hardway.Linux.Files;

namespace Hardway.Kubelet.Volumes;

/// <summary>Gives a volume to the Pod's fsGroup; with fsGroupChangePolicy OnRootMismatch only when its top directory is not the group's yet.</summary>
internal static class VolumeOwnership
{
    public static void Give(Pod pod, string path)
    {
        if (pod.Spec.SecurityContext is not { FsGroup: { } group } context)
            return;
        if (context.FsGroupChangePolicy == "OnRootMismatch" && FileOwner.GroupOf(path) == group && (File.GetUnixFileMode(path) & UnixFileMode.SetGroup) != 0)
            return;
        FileOwner.GiveToGroup(path, group, false);
    }
}
