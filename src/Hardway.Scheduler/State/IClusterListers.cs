using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Policy.V1;
using Hardway.Api.Storage.V1;
using DeviceClass = Hardway.Api.Resource.V1.DeviceClass;
using ResourceClaim = Hardway.Api.Resource.V1.ResourceClaim;
using ResourceSlice = Hardway.Api.Resource.V1.ResourceSlice;

namespace Hardway.Scheduler.State;

/// <summary>What plugins read of the cluster beside Pods and nodes. Answers come from informers' stores: shared objects, never to be changed.</summary>
internal interface IClusterListers
{
    IReadOnlyDictionary<string, string>? NamespaceLabels(string name);

    IEnumerable<string> NamespacesWith(Selector labels);

    /// <summary>The selectors of Services and of the owner that select this Pod, together; Nothing when there are none.</summary>
    Selector DefaultSelector(Pod pod);

    IReadOnlyList<PodDisruptionBudget> DisruptionBudgets(string @namespace);

    PersistentVolumeClaim? Claim(string @namespace, string name);

    PersistentVolume? Volume(string name);

    /// <summary>Volumes of a storage class; "" is the class of those without.</summary>
    IReadOnlyList<PersistentVolume> VolumesOf(string storageClass);

    StorageClass? StorageClass(string name);

    CSINode? CsiNode(string name);

    CSIDriver? CsiDriver(string name);

    IReadOnlyList<CSIStorageCapacity> StorageCapacities();

    IReadOnlyList<VolumeAttachment> Attachments(string node);

    ResourceClaim? ResourceClaim(string @namespace, string name);

    IReadOnlyList<ResourceClaim> ResourceClaims();

    IReadOnlyList<ResourceSlice> ResourceSlices();

    DeviceClass? DeviceClass(string name);
}
