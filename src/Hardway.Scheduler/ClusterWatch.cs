using Hardway.Api;
using Hardway.Api.Apps.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Policy.V1;
using Hardway.Api.Storage.V1;
using Hardway.Client;
using Hardway.Scheduler.State;
using Microsoft.Extensions.Logging;
using DeviceClass = Hardway.Api.Resource.V1.DeviceClass;
using ResourceClaim = Hardway.Api.Resource.V1.ResourceClaim;
using ResourceSlice = Hardway.Api.Resource.V1.ResourceSlice;

namespace Hardway.Scheduler;

/// <summary>What the scheduler watches, and the listers that plugins ask. <see cref="ClusterHandlers"/> keep state and queue by it.</summary>
internal sealed class ClusterWatch : IClusterListers
{
    private const string ByClass = "class";
    private const string ByNode = "node";
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
    private readonly Store<CSIDriver> _csiDrivers;
    private readonly Store<CSIStorageCapacity> _capacities;
    private readonly Store<VolumeAttachment> _attachments;
    private readonly Store<ResourceClaim> _resourceClaims;
    private readonly Store<ResourceSlice> _slices;
    private readonly Store<DeviceClass> _deviceClasses;

    public ClusterWatch(KubeClient client, ILoggerFactory logs)
    {
        Others = new InformerFactory(client, logs);
        Pods = new Informer<Pod>(client, logs, new InformerOptions { FieldSelector = "status.phase!=Succeeded,status.phase!=Failed" });
        Nodes = Others.Get<Node>();
        _namespaces = Others.Get<Namespace>().Store;
        _services = Others.Get<Service>().Store;
        _replicaSets = Others.Get<ReplicaSet>().Store;
        _statefulSets = Others.Get<StatefulSet>().Store;
        _replicationControllers = Others.Get<ReplicationController>().Store;
        _budgets = Others.Get<PodDisruptionBudget>().Store;
        _claims = Others.Get<PersistentVolumeClaim>().Store;
        _volumes = Others.Get<PersistentVolume>().Store;
        _classes = Others.Get<StorageClass>().Store;
        _csiNodes = Others.Get<CSINode>().Store;
        _csiDrivers = Others.Get<CSIDriver>().Store;
        _capacities = Others.Get<CSIStorageCapacity>().Store;
        _attachments = Others.Get<VolumeAttachment>().Store;
        _resourceClaims = Others.Get<ResourceClaim>().Store;
        _slices = Others.Get<ResourceSlice>().Store;
        _deviceClasses = Others.Get<DeviceClass>().Store;
        _volumes.AddIndex(ByClass, v => [v.Spec.StorageClassName]);
        _attachments.AddIndex(ByNode, a => [a.Spec.NodeName]);
    }

    public Informer<Pod> Pods { get; }

    public Informer<Node> Nodes { get; }

    public InformerFactory Others { get; }

    public bool HasSynced { get; private set; }

    public Task RunAsync(CancellationToken cancel) => Task.WhenAll(Others.RunAsync(cancel), Pods.RunAsync(cancel));

    public async Task WaitForSyncAsync(CancellationToken cancel)
    {
        await Others.WaitForSyncAsync(cancel).ConfigureAwait(false);
        await Pods.WaitForSyncAsync(cancel).ConfigureAwait(false);
        HasSynced = true;
    }

    public IReadOnlyDictionary<string, string>? NamespaceLabels(string name) => _namespaces.Get(name)?.Metadata.Labels;

    public IEnumerable<string> NamespacesWith(Selector labels) => _namespaces.List().Where(n => labels.Matches(n.Metadata.Labels)).Select(n => n.Metadata.Name);

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

        if (pod.Metadata.OwnerReferences?.Find(o => o.Controller == true) is { } owner && OwnerSelector(pod.Metadata.Namespace, owner.Kind, owner.Name) is { } owned)
        {
            requirements.AddRange(owned.Requirements);
        }

        return requirements.Count == 0 ? Selector.Nothing : Selector.Of(requirements);
    }

    public IReadOnlyList<PodDisruptionBudget> DisruptionBudgets(string @namespace) => _budgets.List(@namespace);

    public PersistentVolumeClaim? Claim(string @namespace, string name) => _claims.Get(@namespace, name);

    public PersistentVolume? Volume(string name) => _volumes.Get(name);

    public IReadOnlyList<PersistentVolume> VolumesOf(string storageClass) => _volumes.ByIndex(ByClass, storageClass);

    public StorageClass? StorageClass(string name) => _classes.Get(name);

    public CSINode? CsiNode(string name) => _csiNodes.Get(name);

    public CSIDriver? CsiDriver(string name) => _csiDrivers.Get(name);

    public IReadOnlyList<CSIStorageCapacity> StorageCapacities() => _capacities.List();

    public IReadOnlyList<VolumeAttachment> Attachments(string node) => _attachments.ByIndex(ByNode, node);

    public ResourceClaim? ResourceClaim(string @namespace, string name) => _resourceClaims.Get(@namespace, name);

    public IReadOnlyList<ResourceClaim> ResourceClaims() => _resourceClaims.List();

    public IReadOnlyList<ResourceSlice> ResourceSlices() => _slices.List();

    public DeviceClass? DeviceClass(string name) => _deviceClasses.Get(name);

    private Selector? OwnerSelector(string @namespace, string kind, string name) => kind switch
    {
        "ReplicaSet" => _replicaSets.Get(@namespace, name) is { } set ? Selector.From(set.Spec.Selector) : null,
        "StatefulSet" => _statefulSets.Get(@namespace, name) is { } set ? Selector.From(set.Spec.Selector) : null,
        "ReplicationController" => _replicationControllers.Get(@namespace, name) is { } rc ? Selector.FromMap(rc.Spec.Selector) : null,
        _ => null,
    };
}
