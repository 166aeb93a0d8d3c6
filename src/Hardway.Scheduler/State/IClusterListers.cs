using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Policy.V1;
using Hardway.Api.Storage.V1;

namespace Hardway.Scheduler.State;

/// <summary>What plugins read of the cluster beside Pods and nodes. Answers come from informers' stores: shared objects, never to be changed.</summary>
internal interface IClusterListers
{
    IReadOnlyDictionary<string, string>? NamespaceLabels(string name);

    /// <summary>The selectors of Services and of the owner that select this Pod, together; Nothing when there are none.</summary>
    Selector DefaultSelector(Pod pod);

    IReadOnlyList<PodDisruptionBudget> DisruptionBudgets(string @namespace);

    PersistentVolumeClaim? Claim(string @namespace, string name);

    PersistentVolume? Volume(string name);

    IReadOnlyList<PersistentVolume> Volumes();

    StorageClass? StorageClass(string name);

    CSINode? CsiNode(string name);
}
