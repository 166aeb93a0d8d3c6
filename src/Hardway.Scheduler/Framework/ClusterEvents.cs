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
    Volumes = 128,
    PodItself = 256,
    Node = NodeAdded | NodeAllocatable | NodeLabels | NodeTaints,
    All = 511,
}
