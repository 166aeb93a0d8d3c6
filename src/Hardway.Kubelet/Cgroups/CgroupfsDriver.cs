using Hardway.Linux.Cgroups;

namespace Hardway.Kubelet.Cgroups;

/// <summary>Writes cgroups straight into the mounted tree.</summary>
internal sealed class CgroupfsDriver(CgroupHierarchy hierarchy) : IPodCgroupDriver
{
    public Task EnsureAsync(CgroupName name, CgroupResources resources, CancellationToken stop)
    {
        hierarchy.Create(name.CgroupfsPath);
        hierarchy.Apply(name.CgroupfsPath, resources);
        return Task.CompletedTask;
    }

    public Task RemoveAsync(CgroupName name, CancellationToken stop)
    {
        hierarchy.Remove(name.CgroupfsPath);
        return Task.CompletedTask;
    }
}
