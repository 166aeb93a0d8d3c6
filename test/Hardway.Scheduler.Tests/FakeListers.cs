using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Policy.V1;
using Hardway.Api.Storage.V1;
using Hardway.Scheduler.State;
using DeviceClass = Hardway.Api.Resource.V1.DeviceClass;
using ResourceClaim = Hardway.Api.Resource.V1.ResourceClaim;
using ResourceSlice = Hardway.Api.Resource.V1.ResourceSlice;

namespace Hardway.Scheduler.Tests;

/// <summary>What plugins ask, given by the test.</summary>
internal sealed class FakeListers : IClusterListers
{
    private readonly List<KubeObject> _objects = [];

    public Dictionary<string, Dictionary<string, string>> Labels { get; } = [];

    public Selector Default { get; set; } = Selector.Nothing;

    public void Add(params KubeObject[] objects) => _objects.AddRange(objects);

    public void Replace<T>(T now) where T : KubeObject
    {
        _objects.RemoveAll(o => o is T && o.Metadata.Name == now.Metadata.Name);
        _objects.Add(now);
    }

    public IReadOnlyDictionary<string, string>? NamespaceLabels(string name) => Labels.GetValueOrDefault(name);

    public IEnumerable<string> NamespacesWith(Selector labels) => Labels.Where(l => labels.Matches(l.Value)).Select(l => l.Key);

    public Selector DefaultSelector(Pod pod) => Default;

    public IReadOnlyList<PodDisruptionBudget> DisruptionBudgets(string @namespace) => All<PodDisruptionBudget>();

    public PersistentVolumeClaim? Claim(string @namespace, string name) => Find<PersistentVolumeClaim>(name);

    public PersistentVolume? Volume(string name) => Find<PersistentVolume>(name);

    public IReadOnlyList<PersistentVolume> VolumesOf(string storageClass) => [.. All<PersistentVolume>().Where(v => v.Spec.StorageClassName == storageClass)];

    public StorageClass? StorageClass(string name) => Find<StorageClass>(name);

    public CSINode? CsiNode(string name) => Find<CSINode>(name);

    public CSIDriver? CsiDriver(string name) => Find<CSIDriver>(name);

    public IReadOnlyList<CSIStorageCapacity> StorageCapacities() => All<CSIStorageCapacity>();

    public IReadOnlyList<VolumeAttachment> Attachments(string node) => [.. All<VolumeAttachment>().Where(a => a.Spec.NodeName == node)];

    public ResourceClaim? ResourceClaim(string @namespace, string name) => Find<ResourceClaim>(name);

    public IReadOnlyList<ResourceClaim> ResourceClaims() => All<ResourceClaim>();

    public IReadOnlyList<ResourceSlice> ResourceSlices() => All<ResourceSlice>();

    public DeviceClass? DeviceClass(string name) => Find<DeviceClass>(name);

    private T[] All<T>() where T : KubeObject => [.. _objects.OfType<T>()];

    private T? Find<T>(string name) where T : KubeObject => _objects.OfType<T>().FirstOrDefault(o => o.Metadata.Name == name);
}
