using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Storage.V1;
using Hardway.Client;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Queue;
using Hardway.Scheduler.State;
using DeviceClass = Hardway.Api.Resource.V1.DeviceClass;
using ResourceClaim = Hardway.Api.Resource.V1.ResourceClaim;
using ResourceSlice = Hardway.Api.Resource.V1.ResourceSlice;

namespace Hardway.Scheduler;

/// <summary>
/// Keeps the cluster state and the queue: bound Pods and nodes go to the state, Pods without a node to the queue, and each change says which
/// waiting Pods it may help. Called by informers, each on its own thread.
/// </summary>
internal sealed class ClusterHandlers(ClusterState state, SchedulingQueue queue, Predicate<string> isOurs)
{
    /// <summary>Connects the handlers; before the informers run.</summary>
    public void Attach(ClusterWatch watch)
    {
        watch.Nodes.AddHandler(node => NodeChanged(node, ClusterEvents.NodeAdded), (old, node) => NodeChanged(node, Difference(old, node)), NodeDeleted);
        watch.Pods.AddHandler(pod => PodChanged(null, pod), PodChanged, PodDeleted);
        Wake<PersistentVolume>(watch, ClusterEvents.Volumes);
        Wake<PersistentVolumeClaim>(watch, ClusterEvents.Claims);
        Wake<StorageClass>(watch, ClusterEvents.StorageClasses);
        Wake<CSINode>(watch, ClusterEvents.CsiNodes);
        Wake<CSIDriver>(watch, ClusterEvents.CsiDrivers);
        Wake<CSIStorageCapacity>(watch, ClusterEvents.StorageCapacities);
        Wake<ResourceClaim>(watch, ClusterEvents.ResourceClaims);
        Wake<ResourceSlice>(watch, ClusterEvents.ResourceSlices);
        Wake<DeviceClass>(watch, ClusterEvents.DeviceClasses);
    }

    private void Wake<T>(ClusterWatch watch, ClusterEvents kind) where T : KubeObject, IApiType<T>, new() =>
        watch.Others.Get<T>().AddHandler(changed => queue.Move(new ClusterEvent(kind, changed.Metadata.Namespace, changed.Metadata.Name)));

    private void NodeChanged(Node node, ClusterEvents happened)
    {
        lock (state.Lock)
        {
            state.SetNode(node);
        }

        if (happened != ClusterEvents.None)
        {
            queue.Move(new ClusterEvent(happened) { Node = node });
        }
    }

    private void NodeDeleted(Node node)
    {
        lock (state.Lock)
        {
            state.RemoveNode(node.Metadata.Name);
        }

        queue.Move(ClusterEvents.NodeDeleted);
    }

    private static ClusterEvents Difference(Node old, Node node)
    {
        var happened = ClusterEvents.None;
        happened |= Same(old.Status.Allocatable, node.Status.Allocatable) ? 0 : ClusterEvents.NodeAllocatable;
        happened |= Same(old.Metadata.Labels, node.Metadata.Labels) ? 0 : ClusterEvents.NodeLabels;
        happened |= old.Spec.Unschedulable == node.Spec.Unschedulable && SameTaints(old.Spec.Taints ?? [], node.Spec.Taints ?? []) ? 0 : ClusterEvents.NodeTaints;
        return happened;
    }

    private static bool Same<T>(Dictionary<string, T>? a, Dictionary<string, T>? b) where T : notnull =>
        (a?.Count ?? 0) == (b?.Count ?? 0) && (a is null || a.All(e => b!.TryGetValue(e.Key, out var value) && value.Equals(e.Value)));

    private static bool SameTaints(List<Taint> a, List<Taint> b) =>
        a.Count == b.Count && a.Zip(b).All(p => p.First.Key == p.Second.Key && p.First.Value == p.Second.Value && p.First.Effect == p.Second.Effect);

    private void PodChanged(Pod? old, Pod pod)
    {
        if (pod.Spec.NodeName.Length == 0)
        {
            if (isOurs(pod.Spec.SchedulerName))
            {
                Waiting(new PodInfo(pod));
            }

            return;
        }

        var appeared = old is null || old.Spec.NodeName.Length == 0;
        var changed = appeared || old!.Metadata.DeletionTimestamp != pod.Metadata.DeletionTimestamp || !Same(old.Metadata.Labels, pod.Metadata.Labels) || !ApiStruct.DeepEquals(old.Spec, pod.Spec);
        if (!changed)
        {
            return; // its status alone: nothing that scheduling looks at
        }

        var info = new PodInfo(pod);
        lock (state.Lock)
        {
            state.SetPod(info);
            state.Nominated.Remove(info.Key);
        }

        if (appeared)
        {
            queue.Remove(info.Key);
        }

        queue.Move(new ClusterEvent(appeared ? ClusterEvents.AssignedPodAdded : ClusterEvents.AssignedPodChanged) { Pod = info });
    }

    private void Waiting(PodInfo info)
    {
        lock (state.Lock)
        {
            if (state.IsAssumed(info.Key))
            {
                return; // being bound: this is news of before
            }

            if (info.Pod.Status.NominatedNodeName is { Length: > 0 } node)
            {
                state.Nominated.Set(info, node);
            }
        }

        if (info.IsTerminating)
        {
            queue.Remove(info.Key);
        }
        else
        {
            queue.Add(info);
        }
    }

    private void PodDeleted(Pod pod)
    {
        var info = new PodInfo(pod);
        lock (state.Lock)
        {
            state.RemovePod(info.Key);
            state.Nominated.Remove(info.Key);
        }

        queue.Remove(info.Key);
        queue.Move(new ClusterEvent(ClusterEvents.AssignedPodDeleted) { Pod = info });
    }
}
