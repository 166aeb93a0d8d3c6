namespace Hardway.Kubelet.Eviction;

/// <summary>What is watched on a node; each has a name in the configuration (memory.available, ...).</summary>
internal enum EvictionSignal
{
    MemoryAvailable,
    NodefsAvailable,
    NodefsInodesFree,
    ImagefsAvailable,
    ImagefsInodesFree,
    ContainerfsAvailable,
    ContainerfsInodesFree,
    PidAvailable,
    AllocatableMemoryAvailable,
}

/// <summary>The signals' names, the node condition that each stands for, and the resource that runs short.</summary>
internal static class EvictionSignals
{
    public const string MemoryPressure = "MemoryPressure", DiskPressure = "DiskPressure", PidPressure = "PIDPressure";

    private static readonly Dictionary<string, EvictionSignal> ByName = new(StringComparer.Ordinal)
    {
        ["memory.available"] = EvictionSignal.MemoryAvailable,
        ["nodefs.available"] = EvictionSignal.NodefsAvailable,
        ["nodefs.inodesFree"] = EvictionSignal.NodefsInodesFree,
        ["imagefs.available"] = EvictionSignal.ImagefsAvailable,
        ["imagefs.inodesFree"] = EvictionSignal.ImagefsInodesFree,
        ["containerfs.available"] = EvictionSignal.ContainerfsAvailable,
        ["containerfs.inodesFree"] = EvictionSignal.ContainerfsInodesFree,
        ["pid.available"] = EvictionSignal.PidAvailable,
        ["allocatableMemory.available"] = EvictionSignal.AllocatableMemoryAvailable,
    };

    public static bool TryParse(string name, out EvictionSignal signal) => ByName.TryGetValue(name, out signal);

    public static string Condition(this EvictionSignal signal) => signal switch
    {
        EvictionSignal.MemoryAvailable or EvictionSignal.AllocatableMemoryAvailable => MemoryPressure,
        EvictionSignal.PidAvailable => PidPressure,
        _ => DiskPressure,
    };

    public static string Resource(this EvictionSignal signal) => signal switch
    {
        EvictionSignal.MemoryAvailable or EvictionSignal.AllocatableMemoryAvailable => "memory",
        EvictionSignal.PidAvailable => "pids",
        EvictionSignal.NodefsInodesFree or EvictionSignal.ImagefsInodesFree or EvictionSignal.ContainerfsInodesFree => "inodes",
        _ => "ephemeral-storage",
    };

    public static bool IsImageStore(this EvictionSignal signal) => signal is EvictionSignal.ImagefsAvailable or EvictionSignal.ImagefsInodesFree;
}
