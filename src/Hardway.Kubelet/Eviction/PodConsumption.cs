using Hardway.Api.Core.V1;

namespace Hardway.Kubelet.Eviction;

/// <summary>What one Pod uses at one moment. Disk is its local volumes, its logs and its containers' writable layers.</summary>
internal sealed record PodConsumption(Pod Pod, IReadOnlyList<ContainerConsumption> Containers, long VolumeBytes, long VolumeInodes, IReadOnlyDictionary<string, long> EmptyDirs)
{
    public long Memory => Containers.Sum(c => c.Memory);

    public long Processes => Containers.Sum(c => c.Processes);

    public long LogBytes => Containers.Sum(c => c.LogBytes);

    public long LayerBytes => Containers.Sum(c => c.LayerBytes);

    public long Disk => VolumeBytes + LogBytes + LayerBytes;

    public long Inodes => VolumeInodes + Containers.Sum(c => c.LayerInodes);
}

internal sealed record ContainerConsumption(string Name, long Memory, long LayerBytes, long LayerInodes, long LogBytes, long Processes);
