using Hardway.Api.Core.V1;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Framework;

/// <summary>What happened in the cluster that may let a Pod fit that did not. Each plugin names those that may change its answer.</summary>
[Flags]
internal enum ClusterEvents
{
    None = 0,
    NodeAdded = 1,
    NodeAllocatable = 2,
    NodeLabels = 4,
    NodeTaints = 8,
    AssignedPodAdded = 16,
    AssignedPodChanged = 32,
    AssignedPodDeleted = 64,
    Claims = 128,
    Volumes = 256,
    StorageClasses = 512,
    CsiNodes = 1024,
    StorageCapacities = 2048,
    CsiDrivers = 4096,
    ResourceClaims = 8192,
    ResourceSlices = 16384,
    DeviceClasses = 32768,
    PodItself = 65536,
    NodeDeleted = 131072,
    Node = NodeAdded | NodeAllocatable | NodeLabels | NodeTaints,
    All = (1 << 18) - 1,
}

/// <summary>An event with what it is about (an object's namespace and name, or the node or Pod itself), so that a plugin can tell whether it helps a certain Pod. A change may be several things at once.</summary>
internal readonly record struct ClusterEvent(ClusterEvents Kind, string Namespace = "", string Name = "")
{
    public Node? Node { get; init; }

    /// <summary>The bound Pod that came, changed or went.</summary>
    public PodInfo? Pod { get; init; }

    public static implicit operator ClusterEvent(ClusterEvents kind) => new(kind);
}
