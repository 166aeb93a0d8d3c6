using System.Collections.Concurrent;
using Hardway.Api.Core.V1;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Plugins.NodeAffinity;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.Volumes;

/// <summary>
/// Claims of a Pod: bound ones must be usable on the node; unbound ones wait for the volume controller, unless their class waits for a
/// consumer, when a fitting free volume or a provisioner with room must exist. The choice for the node is reserved, then written to claims and
/// volumes before the Pod is bound.
/// </summary>
/// <param name="binder">Writes the choices.</param>
/// <param name="reserved">Choices for Pods that are being bound, by Pod. Written under the state's lock, read beside it.</param>
internal sealed class VolumeBinding(IVolumeBinder binder, ConcurrentDictionary<string, List<VolumeChoice>> reserved) : Plugin, IPreFilter, IFilter, IReserve, IPreBind
{
    private readonly Refusal _conflict = Never("node(s) didn't match PersistentVolume's node affinity");
    private readonly Refusal _noVolume = Never("node(s) didn't find available persistent volumes to bind");
    private readonly Refusal _noSpace = Never("node(s) did not have enough free storage");
    private readonly Refusal _gone = Never("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)");
    private readonly Refusal _immediate = Never("pod has unbound immediate PersistentVolumeClaims");

    public override string Name => nameof(VolumeBinding);

    public override ClusterEvents Wakes =>
        ClusterEvents.Claims | ClusterEvents.Volumes | ClusterEvents.StorageClasses | ClusterEvents.CsiNodes | ClusterEvents.StorageCapacities | ClusterEvents.CsiDrivers
        | ClusterEvents.NodeAdded | ClusterEvents.NodeLabels;

    /// <summary>Of claims, only the Pod's own.</summary>
    public override bool Helps(PodInfo pod, in ClusterEvent happened) =>
        happened.Kind != ClusterEvents.Claims || (happened.Namespace == pod.Namespace && Array.IndexOf(pod.ClaimNames, happened.Name) >= 0);

    public PreFilterAnswer PreFilter(Cycle cycle)
    {
        var pod = cycle.Pod;
        if (pod.ClaimNames.Length == 0)
        {
            return PreFilterAnswer.Skip;
        }

        var claims = new List<PersistentVolumeClaim>();
        foreach (var name in pod.ClaimNames)
        {
            if (Find(cycle, name, out var claim) is { } refused)
            {
                return refused;
            }

            if (!VolumeClaims.IsBound(claim!) && !VolumeClaims.Waits(claim!, cycle.Listers))
            {
                return _immediate;
            }

            claims.Add(claim!);
        }

        cycle.Keep(this, claims);
        return PreFilterAnswer.Go;
    }

    public Refusal? Filter(Cycle cycle, NodeInfo node) => Choose(cycle, node, out _);

    public Refusal? Reserve(Cycle cycle, NodeInfo node)
    {
        var refused = Choose(cycle, node, out var choices);
        if (refused is null && choices is not null)
        {
            reserved[cycle.Pod.Key] = choices;
        }

        return refused;
    }

    public void Unreserve(PodInfo pod) => reserved.TryRemove(pod.Key, out _);

    public async Task<Refusal?> PreBindAsync(PodInfo pod, string node, CancellationToken cancel)
    {
        if (!reserved.TryGetValue(pod.Key, out var choices))
        {
            return null;
        }

        var refused = await binder.BindAsync(pod, node, choices, cancel).ConfigureAwait(false);
        reserved.TryRemove(pod.Key, out _);
        return refused;
    }

    private static Refusal Never(string reason) => new(RefusalKind.UnschedulableAndUnresolvable, nameof(VolumeBinding), reason);

    private static Refusal? Find(Cycle cycle, string name, out PersistentVolumeClaim? claim)
    {
        var pod = cycle.Pod.Pod;
        claim = cycle.Listers.Claim(cycle.Pod.Namespace, name);
        var ephemeral = (pod.Spec.Volumes ?? []).Exists(v => v.Ephemeral is not null && $"{pod.Metadata.Name}-{v.Name}" == name);
        if (claim is null)
        {
            return Never(ephemeral ? $"waiting for ephemeral volume controller to create the persistentvolumeclaim \"{name}\"" : $"persistentvolumeclaim \"{name}\" not found");
        }

        if (claim.Status.Phase == "Lost")
        {
            return Never($"persistentvolumeclaim \"{name}\" bound to non-existent persistentvolume \"{claim.Spec.VolumeName}\"");
        }

        if (claim.Metadata.DeletionTimestamp is not null)
        {
            return Never($"persistentvolumeclaim \"{name}\" is being deleted");
        }

        return ephemeral && claim.Metadata.OwnerReferences?.Exists(o => o.Controller == true && o.Uid == pod.Metadata.Uid) != true
            ? Never($"PVC {cycle.Pod.Namespace}/{name} was not created for pod {cycle.Pod.Key} (pod is not owner)") : null;
    }

    /// <summary>What the node's unbound claims would get; null when all are bound.</summary>
    private Refusal? Choose(Cycle cycle, NodeInfo node, out List<VolumeChoice>? choices)
    {
        choices = null;
        foreach (var claim in cycle.Kept<List<PersistentVolumeClaim>>(this) ?? [])
        {
            if (VolumeClaims.IsBound(claim))
            {
                if (Usable(cycle, claim, node) is { } refused)
                {
                    return refused;
                }

                continue;
            }

            var mine = choices ??= [];
            var elsewhere = claim.Metadata.Annotations?.GetValueOrDefault(VolumeClaims.SelectedNode) is { Length: > 0 } selected && selected != node.Name;
            var volume = VolumeClaims.FindVolume(claim, node, cycle.Listers, name => mine.Exists(c => c.Volume?.Metadata.Name == name) || IsReserved(cycle.Pod.Key, name));
            if (volume is null && (elsewhere || !VolumeClaims.Provisionable(claim, node, cycle.Listers)))
            {
                return _noVolume;
            }

            if (volume is null && !VolumeClaims.HasCapacity(claim, node, cycle.Listers))
            {
                return _noSpace;
            }

            mine.Add(new VolumeChoice(claim, volume));
        }

        return null;
    }

    private Refusal? Usable(Cycle cycle, PersistentVolumeClaim claim, NodeInfo node) =>
        cycle.Listers.Volume(claim.Spec.VolumeName) is not { } volume ? _gone
        : volume.Spec.NodeAffinity?.Required is { } required && !NodeSelectors.Matches(required, node) ? _conflict : null;

    private bool IsReserved(string pod, string volume)
    {
        foreach (var (other, choices) in reserved)
        {
            if (other != pod && choices.Exists(c => c.Volume?.Metadata.Name == volume))
            {
                return true;
            }
        }

        return false;
    }
}
