using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Policy.V1;
using Hardway.Api.Storage.V1;
using Hardway.Scheduler.State;
using DeviceClass = Hardway.Api.Resource.V1.DeviceClass;
using ResourceClaim = Hardway.Api.Resource.V1.ResourceClaim;
using ResourceSlice = Hardway.Api.Resource.V1.ResourceSlice;

namespace Hardway.Scheduler.Bench;

/// <summary>A cluster of nodes and Pods alone; every Pod belongs to one set, so that the default spreading is at work.</summary>
internal sealed class EmptyListers(Selector set) : IClusterListers
{
    public IReadOnlyDictionary<string, string>? NamespaceLabels(string name) => null;

    public IEnumerable<string> NamespacesWith(Selector labels) => [];

    public Selector DefaultSelector(Pod pod) => set;

    public IReadOnlyList<PodDisruptionBudget> DisruptionBudgets(string @namespace) => [];

    public PersistentVolumeClaim? Claim(string @namespace, string name) => null;

    public PersistentVolume? Volume(string name) => null;

    public IReadOnlyList<PersistentVolume> VolumesOf(string storageClass) => [];

    public StorageClass? StorageClass(string name) => null;

    public CSINode? CsiNode(string name) => null;

    public CSIDriver? CsiDriver(string name) => null;

    public IReadOnlyList<CSIStorageCapacity> StorageCapacities() => [];

    public IReadOnlyList<VolumeAttachment> Attachments(string node) => [];

    public ResourceClaim? ResourceClaim(string @namespace, string name) => null;

    public IReadOnlyList<ResourceClaim> ResourceClaims() => [];

    public IReadOnlyList<ResourceSlice> ResourceSlices() => [];

    public DeviceClass? DeviceClass(string name) => null;
}
