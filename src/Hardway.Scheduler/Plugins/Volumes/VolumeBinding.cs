using Hardway.Api.Core.V1;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Plugins.NodeAffinity;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.Volumes;

/// <summary>
/// Claims of a Pod: bound ones must be usable on the node; unbound ones wait for the volume controller, unless their class waits for a
/// consumer, when a fitting free volume or a provisioner must exist. The choice of the node is written to the claims before the Pod is bound.
/// </summary>
internal sealed class VolumeBinding(IVolumeBinder binder) : Plugin, IFilter, IPreBind
{
    private readonly Refusal _conflict = new(RefusalKind.UnschedulableAndUnresolvable, nameof(VolumeBinding), "node(s) didn't match PersistentVolume's node affinity");
    private readonly Refusal _noVolume = new(RefusalKind.UnschedulableAndUnresolvable, nameof(VolumeBinding), "node(s) didn't find available persistent volumes to bind");
    private readonly Refusal _immediate = new(RefusalKind.UnschedulableAndUnresolvable, nameof(VolumeBinding), "pod has unbound immediate PersistentVolumeClaims");

    public override string Name => nameof(VolumeBinding);

    public override ClusterEvents Wakes => ClusterEvents.Volumes | ClusterEvents.NodeAdded | ClusterEvents.NodeLabels;

    public Refusal? PreFilter(Cycle cycle)
    {
        var names = VolumeClaims.Names(cycle.Pod.Pod);
        if (names.Count == 0)
        {
            return null;
        }

        var claims = new List<PersistentVolumeClaim>();
        foreach (var name in names)
        {
            if (cycle.Listers.Claim(cycle.Pod.Namespace, name) is not { } claim)
            {
                return new Refusal(RefusalKind.UnschedulableAndUnresolvable, Name, $"persistentvolumeclaim \"{name}\" not found");
            }

            if (claim.Metadata.DeletionTimestamp is not null)
            {
                return new Refusal(RefusalKind.UnschedulableAndUnresolvable, Name, $"persistentvolumeclaim \"{name}\" is being deleted");
            }

            if (!VolumeClaims.IsBound(claim) && !VolumeClaims.Waits(claim, cycle.Listers))
            {
                return _immediate;
            }

            claims.Add(claim);
        }

        cycle.Set(this, claims);
        return null;
    }

    public Refusal? Filter(Cycle cycle, NodeInfo node)
    {
        foreach (var claim in cycle.Get<List<PersistentVolumeClaim>>(this) ?? [])
        {
            if (VolumeClaims.IsBound(claim))
            {
                if (cycle.Listers.Volume(claim.Spec.VolumeName) is not { } volume)
                {
                    return new Refusal(RefusalKind.UnschedulableAndUnresolvable, Name, $"node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)");
                }

                if (volume.Spec.NodeAffinity?.Required is { } required && !NodeSelectors.Matches(required, node))
                {
                    return _conflict;
                }
            }
            else if (!VolumeClaims.Provisionable(claim, cycle.Listers) && VolumeClaims.FindVolume(claim, node, cycle.Listers) is null)
            {
                return _noVolume;
            }
        }

        return null;
    }

    public Task<Refusal?> PreBindAsync(PodInfo pod, string node, CancellationToken cancel) =>
        VolumeClaims.Names(pod.Pod).Count == 0 ? Task.FromResult<Refusal?>(null) : binder.BindAsync(pod, node, cancel);
}

/// <summary>Writes the scheduler's choice to claims and volumes and waits until they are bound.</summary>
internal interface IVolumeBinder
{
    Task<Refusal?> BindAsync(PodInfo pod, string node, CancellationToken cancel);
}
