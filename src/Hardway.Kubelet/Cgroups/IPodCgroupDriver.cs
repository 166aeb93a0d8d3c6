using Hardway.Linux.Cgroups;

namespace Hardway.Kubelet.Cgroups;

/// <summary>Makes and removes the cgroups above containers, as cgroupfs or through systemd. Making one that exists applies its resources.</summary>
internal interface IPodCgroupDriver
{
    Task EnsureAsync(CgroupName name, CgroupResources resources, CancellationToken stop);

    Task RemoveAsync(CgroupName name, CancellationToken stop);
}
