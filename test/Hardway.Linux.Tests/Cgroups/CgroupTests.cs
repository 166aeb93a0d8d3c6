using Hardway.Linux.Cgroups;
using Hardway.Linux.Mounts;

namespace Hardway.Linux.Tests.Cgroups;

public sealed class CgroupTests
{
    [Theory]
    [InlineData(0, 2)]
    [InlineData(1, 2)]
    [InlineData(100, 102)]
    [InlineData(1000, 1024)]
    [InlineData(1_000_000, 262144)]
    public void A_cpu_request_becomes_shares(long milli, long shares) => Assert.Equal(shares, CgroupMath.Shares(milli));

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1000)]
    [InlineData(250, 25000)]
    [InlineData(2000, 200000)]
    public void A_cpu_limit_becomes_a_quota(long milli, long quota) => Assert.Equal(quota, CgroupMath.Quota(milli));

    [Theory]
    [InlineData(2, 1)]
    [InlineData(1024, 39)]
    [InlineData(262144, 10000)]
    public void Shares_become_a_v2_weight(long shares, long weight) => Assert.Equal(weight, CgroupMath.Weight(shares));

    [Fact]
    public void A_pod_cgroup_is_named_by_both_drivers()
    {
        var name = new CgroupName("kubepods", "burstable", "pod11-22");
        Assert.Equal("/kubepods/burstable/pod11-22", name.CgroupfsPath);
        Assert.Equal("kubepods-burstable-pod11_22.slice", name.SystemdSlice);
        Assert.Equal("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod11_22.slice", name.SystemdPath);
    }

    [Fact]
    public void A_machine_with_v1_controllers_is_not_unified_though_v2_is_mounted_beside()
    {
        var hierarchy = CgroupHierarchy.From(MountTable.Parse(
            """
            1 0 0:1 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
            2 0 0:2 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
            3 0 0:3 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw

            """));
        Assert.False(hierarchy.IsUnified);
        Assert.Equal("/sys/fs/cgroup/cpu,cpuacct/x", hierarchy.Directory("cpu", "/x"));
        Assert.Equal("/sys/fs/cgroup/systemd", hierarchy.SystemdMount);
        Assert.Null(hierarchy.Directory("memory", "/x"));
    }

    [Fact]
    public void A_machine_with_only_v2_is_unified()
    {
        var hierarchy = CgroupHierarchy.From(MountTable.Parse("3 0 0:3 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"));
        Assert.True(hierarchy.IsUnified);
        Assert.Equal("/sys/fs/cgroup/x", hierarchy.Directory("cpu", "/x"));
    }

    [Fact]
    public void A_cgroup_is_made_limited_and_removed_on_this_machine()
    {
        Assert.SkipUnless(Environment.UserName == "root" || Environment.GetEnvironmentVariable("CI") != null, "needs root");
        var hierarchy = CgroupHierarchy.Detect();
        var path = $"/hardway-test-{Environment.ProcessId}";
        try
        {
            hierarchy.Create(path + "/inner");
            hierarchy.Apply(path + "/inner", new CgroupResources(CpuShares: 512, CpuQuota: 50_000, MemoryLimit: 64 << 20));
            Assert.True(hierarchy.Exists(path + "/inner"));
            Assert.Equal(hierarchy.IsUnified ? CgroupMath.Weight(512) : 512, hierarchy.ReadNumber("cpu", path + "/inner", hierarchy.IsUnified ? "cpu.weight" : "cpu.shares"));
            Assert.Equal(64 << 20, hierarchy.ReadNumber("memory", path + "/inner", hierarchy.IsUnified ? "memory.max" : "memory.limit_in_bytes"));
        }
        finally
        {
            Assert.True(hierarchy.Remove(path));
        }
        Assert.False(hierarchy.Exists(path));
    }
}
