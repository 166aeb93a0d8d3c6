using Hardway.Api.Core.V1;
using Hardway.Kubelet.Configuration;
using Hardway.Linux.Cgroups;

namespace Hardway.Kubelet.Qos;

/// <summary>
/// The tree of cgroups above containers: kubepods (all Pods), kubepods/burstable and kubepods/besteffort, and one a Pod.
/// Guaranteed Pods hang directly below kubepods. Knows names and amounts; writing them is the cgroup driver's.
/// </summary>
internal sealed class PodCgroups(KubeletConfig config)
{
    private readonly CgroupName _root = new([.. config.CgroupRoot.Split('/', StringSplitOptions.RemoveEmptyEntries)]);

    public CgroupName All => _root.Child("kubepods");

    public CgroupName Class(QosClass qos) => qos == QosClass.Guaranteed ? All : All.Child(qos == QosClass.Burstable ? "burstable" : "besteffort");

    public CgroupName Of(Pod pod) => Class(PodQos.Of(pod)).Child("pod" + pod.Metadata.Uid);

    /// <summary>As CRI's cgroup_parent.</summary>
    public string PathOf(Pod pod) => !config.CgroupsPerQos ? "" : Path(Of(pod));

    public string Path(CgroupName name) => config.SystemdCgroups ? name.SystemdPath : name.CgroupfsPath;

    public CgroupResources ResourcesOf(Pod pod)
    {
        var qos = PodQos.Of(pod);
        var cpu = PodResources.Limits(pod, "cpu");
        var memory = PodResources.Limits(pod, "memory");
        return new CgroupResources(
            CpuShares: qos == QosClass.BestEffort ? CgroupMath.MinShares : CgroupMath.Shares(PodResources.Requests(pod, "cpu").MilliValue),
            CpuQuota: cpu is { } c && config.CpuCfsQuota ? CgroupMath.Quota(c.MilliValue) : 0,
            MemoryLimit: memory?.Value ?? 0,
            PidsLimit: config.PodPidsLimit > 0 ? config.PodPidsLimit : null);
    }
}
