using Hardway.Api;
using Hardway.Api.Apps.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Policy.V1;
using Hardway.Api.Storage.V1;
using Hardway.Client;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Queue;
using Hardway.Scheduler.Scheduling;
using Hardway.Scheduler.State;
using Microsoft.Extensions.Logging;

namespace Hardway.Scheduler;

/// <summary>
/// What the scheduler watches. Handlers keep the cluster state and the queue: bound Pods and nodes go to the state, Pods without a node to the
/// queue, and each change says which waiting Pods it may help. Also the listers that plugins ask.
/// </summary>
internal sealed class ClusterWatch : IClusterListers
{
    private readonly Informer<Pod> _pods;
    private readonly InformerFactory _others;
    private readonly Store<Node> _nodes;
    private readonly Store<Namespace> _namespaces;
    private readonly Store<Service> _services;
    private readonly Store<ReplicaSet> _replicaSets;
    private readonly Store<StatefulSet> _statefulSets;
    private readonly Store<ReplicationController> _replicationControllers;
    private readonly Store<PodDisruptionBudget> _budgets;
    private readonly Store<PersistentVolumeClaim> _claims;
    private readonly Store<PersistentVolume> _volumes;
    private readonly Store<StorageClass> _classes;
    private readonly Store<CSINode> _csiNodes;

    public ClusterWatch(KubeClient client, ILoggerFactory logs)
    {
        _others = new InformerFactory(client, logs);
        _pods = new Informer<Pod>(client, logs, new InformerOptions { FieldSelector = "status.phase!=Succeeded,status.phase!=Failed" });
        _nodes = _others.Get<Node>().Store;
        _namespaces = _others.Get<Namespace>().Store;
        _services = _others.Get<Service>().Store;
        _replicaSets = _others.Get<ReplicaSet>().Store;
        _statefulSets = _others.Get<StatefulSet>().Store;
        _replicationControllers = _others.Get<ReplicationController>().Store;
        _budgets = _others.Get<PodDisruptionBudget>().Store;
        _claims = _others.Get<PersistentVolumeClaim>().Store;
        _volumes = _others.Get<PersistentVolume>().Store;
        _classes = _others.Get<StorageClass>().Store;
        _csiNodes = _others.Get<CSINode>().Store;
    }

    public bool HasSynced { get; private set; }

    public Task RunAsync(CancellationToken cancel) => Task.WhenAll(_others.RunAsync(cancel), _pods.RunAsync(cancel));

    public async Task WaitForSyncAsync(CancellationToken cancel)
    {
        await _others.WaitForSyncAsync(cancel).ConfigureAwait(false);
        await _pods.WaitForSyncAsync(cancel).ConfigureAwait(false);
        HasSynced = true;
    }

    /// <summary>Connects the handlers. Before <see cref="RunAsync"/>.</summary>
    public void Attach(ClusterState state, SchedulingQueue queue, NominatedPods nominated, Predicate<string> isOurs)
    {
        _others.Get<Node>().AddHandler(
            node => NodeChanged(state, queue, node, ClusterEvents.Node),
            (old, node) => NodeChanged(state, queue, node, Difference(old, node)),
            node =>
            {
                lock (state.Lock)
                {
                    state.RemoveNode(node.Metadata.Name);
                }
            });
        _pods.AddHandler(
            pod => PodChanged(state, queue, nominated, null, pod, isOurs),
            (old, pod) => PodChanged(state, queue, nominated, old, pod, isOurs),
            pod => PodDeleted(state, queue, nominated, pod));
        _others.Get<PersistentVolume>().AddHandler(_ => queue.Move(ClusterEvents.Volumes));
        _others.Get<PersistentVolumeClaim>().AddHandler(_ => queue.Move(ClusterEvents.Volumes));
        _others.Get<StorageClass>().AddHandler(_ => queue.Move(ClusterEvents.Volumes));
        _others.Get<CSINode>().AddHandler(_ => queue.Move(ClusterEvents.Volumes));
    }

    public IReadOnlyDictionary<string, string>? NamespaceLabels(string name) => _namespaces.Get(name)?.Metadata.Labels;

    public Selector DefaultSelector(Pod pod)
    {
        var requirements = new List<SelectorRequirement>();
        foreach (var service in _services.List(pod.Metadata.Namespace))
        {
            if (service.Spec.Selector is { Count: > 0 } map && Selector.FromMap(map) is var selector && selector.Matches(pod.Metadata.Labels))
            {
                requirements.AddRange(selector.Requirements);
            }
        }

        if ((pod.Metadata.OwnerReferences ?? []).Find(o => o.Controller == true) is { } owner && OwnerSelector(pod.Metadata.Namespace, owner.Kind, owner.Name) is { } owned)
        {
            requirements.AddRange(owned.Requirements);
        }

        return requirements.Count == 0 ? Selector.Nothing : Selector.Parse(string.Join(",", requirements.Select(r => r.ToString()).Distinct(StringComparer.Ordinal)));
    }

    public IReadOnlyList<PodDisruptionBudget> DisruptionBudgets(string @namespace) => _budgets.List(@namespace);

    public PersistentVolumeClaim? Claim(string @namespace, string name) => _claims.Get(@namespace, name);

    public PersistentVolume? Volume(string name) => _volumes.Get(name);

    public IReadOnlyList<PersistentVolume> Volumes() => _volumes.List();

    public StorageClass? StorageClass(string name) => _classes.Get(name);

    public CSINode? CsiNode(string name) => _csiNodes.Get(name);

    private Selector? OwnerSelector(string @namespace, string kind, string name) => kind switch
    {
        "ReplicaSet" => _replicaSets.Get(@namespace, name) is { } set ? Selector.From(set.Spec.Selector) : null,
        "StatefulSet" => _statefulSets.Get(@namespace, name) is { } set ? Selector.From(set.Spec.Selector) : null,
        "ReplicationController" => _replicationControllers.Get(@namespace, name) is { } rc ? Selector.FromMap(rc.Spec.Selector) : null,
        _ => null,
    };

    private static void NodeChanged(ClusterState state, SchedulingQueue queue, Node node, ClusterEvents happened)
    {
        lock (state.Lock)
        {
            state.SetNode(node);
        }

        if (happened != ClusterEvents.None)
        {
            queue.Move(happened);
        }
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

    private static void PodChanged(ClusterState state, SchedulingQueue queue, NominatedPods nominated, Pod? old, Pod pod, Predicate<string> isOurs)
    {
        var info = new PodInfo(pod);
        if (info.NodeName.Length == 0)
        {
            Waiting(state, queue, nominated, info, isOurs);
            return;
        }

        lock (state.Lock)
        {
            state.SetPod(info);
            nominated.Remove(info.Key);
        }

        queue.Remove(info.Key);
        var appeared = old is null || old.Spec.NodeName.Length == 0;
        if (appeared || old!.Metadata.DeletionTimestamp != pod.Metadata.DeletionTimestamp || !Same(old.Metadata.Labels, pod.Metadata.Labels) || !ApiStruct.DeepEquals(old.Spec, pod.Spec))
        {
            queue.Move(appeared ? ClusterEvents.AssignedPodAdded : ClusterEvents.AssignedPodChanged);
        }
    }

    private static void Waiting(ClusterState state, SchedulingQueue queue, NominatedPods nominated, PodInfo info, Predicate<string> isOurs)
    {
        if (!isOurs(info.Pod.Spec.SchedulerName))
        {
            return;
        }

        lock (state.Lock)
        {
            if (state.IsAssumed(info.Key))
            {
                return; // being bound: this is news of before
            }

            if (info.Pod.Status.NominatedNodeName is { Length: > 0 } node)
            {
                nominated.Set(info, node);
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

    private static void PodDeleted(ClusterState state, SchedulingQueue queue, NominatedPods nominated, Pod pod)
    {
        var key = KubeKey.Of(pod);
        lock (state.Lock)
        {
            state.RemovePod(key);
            nominated.Remove(key);
        }

        queue.Remove(key);
        queue.Move(ClusterEvents.AssignedPodDeleted);
    }
}
