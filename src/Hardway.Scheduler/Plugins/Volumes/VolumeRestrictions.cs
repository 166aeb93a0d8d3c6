using Hardway.Api.Core.V1;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.Volumes;

/// <summary>A claim for one Pod only (ReadWriteOncePod) is refused while another Pod uses it; some disks can be on a node once only.</summary>
internal sealed class VolumeRestrictions : Plugin, IPreFilter, IFilter
{
    private readonly Refusal _disk = new(RefusalKind.Unschedulable, nameof(VolumeRestrictions), "node(s) had no available disk");
    private readonly Refusal _used = new(
        RefusalKind.Unschedulable, nameof(VolumeRestrictions), "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode");

    public override string Name => nameof(VolumeRestrictions);

    public override ClusterEvents Wakes => ClusterEvents.AssignedPodDeleted | ClusterEvents.NodeAdded | ClusterEvents.Claims;

    /// <summary>A Pod that went helps if it had one of our claims or a disk at all.</summary>
    public override bool Helps(PodInfo pod, in ClusterEvent happened) => happened switch
    {
        { Kind: ClusterEvents.AssignedPodDeleted, Pod: { } went } =>
            (went.Namespace == pod.Namespace && went.ClaimNames.Intersect(pod.ClaimNames, StringComparer.Ordinal).Any()) || Disks(went.Pod).Any(),
        { Kind: ClusterEvents.Claims } => happened.Namespace == pod.Namespace && Array.IndexOf(pod.ClaimNames, happened.Name) >= 0,
        _ => true,
    };

    public PreFilterAnswer PreFilter(Cycle cycle)
    {
        var pod = cycle.Pod;
        var exclusive = Array.FindAll(pod.ClaimNames, n => cycle.Listers.Claim(pod.Namespace, n)?.Spec.AccessModes?.Contains("ReadWriteOncePod") == true);
        var disks = Disks(pod.Pod).ToList();
        if (exclusive.Length == 0 && disks.Count == 0)
        {
            return PreFilterAnswer.Skip;
        }

        cycle.Keep(this, new State(disks, Array.Exists(exclusive, name => IsUsed(cycle, name))));
        return PreFilterAnswer.Go;
    }

    public Refusal? Filter(Cycle cycle, NodeInfo node)
    {
        if (cycle.Kept<State>(this) is not { } state)
        {
            return null;
        }

        foreach (var wanted in state.Disks)
        {
            foreach (var other in node.Pods)
            {
                if (Disks(other.Pod).Any(d => Collide(wanted, d)))
                {
                    return _disk;
                }
            }
        }

        return state.ClaimUsed ? _used : null;
    }

    private static bool IsUsed(Cycle cycle, string claim)
    {
        var space = cycle.Pod.Namespace;
        var users = cycle.State.Counts.Of($"c|{space}|{claim}", p => p.Namespace == space && Array.IndexOf(p.ClaimNames, claim) >= 0);
        return Array.Exists(cycle.Nodes, n => users.On(n) > 0);
    }

    private static IEnumerable<Volume> Disks(Pod pod) =>
        (pod.Spec.Volumes ?? []).Where(v => v.GcePersistentDisk is not null || v.AwsElasticBlockStore is not null || v.Iscsi is not null || v.Rbd is not null);

    /// <summary>The same disk, of which one user writes where the disk can have many readers.</summary>
    private static bool Collide(Volume a, Volume b) =>
        (a.GcePersistentDisk is { } g && b.GcePersistentDisk is { } h && g.PdName == h.PdName && !(g.ReadOnly && h.ReadOnly))
        || (a.AwsElasticBlockStore is { } e && b.AwsElasticBlockStore is { } f && e.VolumeID == f.VolumeID)
        || (a.Iscsi is { } i && b.Iscsi is { } j && i.Iqn == j.Iqn && !(i.ReadOnly && j.ReadOnly))
        || (a.Rbd is { } r && b.Rbd is { } s && r.Pool == s.Pool && r.Image == s.Image && (r.Monitors ?? []).Intersect(s.Monitors ?? []).Any() && !(r.ReadOnly && s.ReadOnly));

    private sealed record State(List<Volume> Disks, bool ClaimUsed);
}
