using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.Volumes;

/// <summary>A node can have so many volumes of a CSI driver attached, as its CSINode says. A volume that several Pods use counts once.</summary>
internal sealed class NodeVolumeLimits : Plugin, IPreFilter, IFilter
{
    private readonly Refusal _full = new(RefusalKind.Unschedulable, nameof(NodeVolumeLimits), "node(s) exceed max volume count");

    public override string Name => nameof(NodeVolumeLimits);

    public override ClusterEvents Wakes =>
        ClusterEvents.CsiNodes | ClusterEvents.NodeAdded | ClusterEvents.AssignedPodDeleted | ClusterEvents.Claims | ClusterEvents.Volumes;

    public override bool Helps(PodInfo pod, in ClusterEvent happened) => happened switch
    {
        { Kind: ClusterEvents.AssignedPodDeleted, Pod: { } went } => HasVolumes(went),
        { Kind: ClusterEvents.Claims } => happened.Namespace == pod.Namespace && Array.IndexOf(pod.ClaimNames, happened.Name) >= 0,
        _ => true,
    };

    public PreFilterAnswer PreFilter(Cycle cycle)
    {
        var wanted = new HashSet<(string Driver, string Volume)>();
        Collect(cycle.Listers, cycle.Pod, wanted);
        if (wanted.Count == 0)
        {
            return PreFilterAnswer.Skip;
        }

        cycle.Keep(this, wanted);
        return PreFilterAnswer.Go;
    }

    public Refusal? Filter(Cycle cycle, NodeInfo node)
    {
        var wanted = cycle.Kept<HashSet<(string Driver, string Volume)>>(this) ?? [];
        if (cycle.Listers.CsiNode(node.Name) is not { } csi || !(csi.Spec.Drivers ?? []).Exists(d => d.Allocatable?.Count is not null && wanted.Any(w => w.Driver == d.Name)))
        {
            return null;
        }

        var attached = Attached(cycle.Listers, node);
        foreach (var driver in csi.Spec.Drivers!)
        {
            var more = wanted.Count(w => w.Driver == driver.Name && !attached.Contains(w));
            if (driver.Allocatable?.Count is { } limit && more > 0 && attached.Count(a => a.Driver == driver.Name) + more > limit)
            {
                return _full;
            }
        }

        return null;
    }

    private static bool HasVolumes(PodInfo pod) => pod.ClaimNames.Length > 0 || pod.Pod.Spec.Volumes?.Exists(v => v.Csi is not null) == true;

    /// <summary>By its Pods, and what the attach controller has not detached yet.</summary>
    private static HashSet<(string Driver, string Volume)> Attached(IClusterListers listers, NodeInfo node)
    {
        var attached = new HashSet<(string, string)>();
        foreach (var pod in node.Pods)
        {
            Collect(listers, pod, attached);
        }

        foreach (var attachment in listers.Attachments(node.Name))
        {
            if (attachment.Spec.Source.PersistentVolumeName is { } name && listers.Volume(name)?.Spec.Csi is { } csi)
            {
                attached.Add((csi.Driver, csi.VolumeHandle));
            }
        }

        return attached;
    }

    /// <summary>A claim without a volume counts for the driver that will make it.</summary>
    private static void Collect(IClusterListers listers, PodInfo pod, HashSet<(string Driver, string Volume)> volumes)
    {
        foreach (var name in pod.ClaimNames)
        {
            if (listers.Claim(pod.Namespace, name) is not { } claim)
            {
                continue;
            }

            if (claim.Spec.VolumeName.Length > 0 && listers.Volume(claim.Spec.VolumeName) is { } volume)
            {
                if (volume.Spec.Csi is { } csi)
                {
                    volumes.Add((csi.Driver, csi.VolumeHandle));
                }
            }
            else if (listers.StorageClass(claim.Spec.StorageClassName ?? "") is { } @class)
            {
                volumes.Add((@class.Provisioner, $"{pod.Namespace}/{name}"));
            }
        }
    }
}
