using Hardway.Kubelet.Configuration;
using Hardway.Kubelet.Containers;
using Hardway.Kubelet.Qos;
using Hardway.Linux.Cgroups;

namespace Hardway.Kubelet.Tests.Qos;

public sealed class QosTests
{
    [Theory]
    [InlineData("{}", "BestEffort")]
    [InlineData("{requests: {cpu: 100m}}", "Burstable")]
    [InlineData("{limits: {cpu: 1, memory: 1Gi}}", "Guaranteed")]
    [InlineData("{requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1, memory: 1Gi}}", "Guaranteed")]
    [InlineData("{requests: {cpu: 1}, limits: {cpu: 2, memory: 1Gi}}", "Burstable")]
    [InlineData("{limits: {memory: 1Gi}}", "Burstable")]
    [InlineData("{limits: {ephemeral-storage: 1Gi}}", "BestEffort")]
    public void The_class_follows_requests_and_limits(string resources, string expected) =>
        Assert.Equal(expected, PodQos.Of(PodMaker.Parse($"containers:\n- {{name: a, image: x, resources: {resources}}}")).ToString());

    [Fact]
    public void A_pod_asks_for_its_greatest_phase()
    {
        var pod = PodMaker.Parse(
            "initContainers:\n- {name: i, image: x, resources: {requests: {cpu: 2}}}\n- {name: s, image: x, restartPolicy: Always, resources: {requests: {cpu: 500m}}}\n" +
            "containers:\n- {name: a, image: x, resources: {requests: {cpu: 1}}}\n- {name: b, image: x, resources: {requests: {cpu: 250m}}}\noverhead: {cpu: 10m}");
        Assert.Equal(2010, PodResources.Requests(pod, "cpu").MilliValue);
        Assert.Null(PodResources.Limits(pod, "cpu"));
    }

    [Fact]
    public void Cgroups_are_named_by_class_and_driver()
    {
        var pod = PodMaker.Parse("containers:\n- {name: a, image: x, resources: {requests: {cpu: 1}}}");
        pod.Metadata.Uid = "1-2";
        Assert.Equal("/kubepods/burstable/pod1-2", new PodCgroups(new KubeletConfig()).PathOf(pod));
        Assert.Equal("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice", new PodCgroups(new KubeletConfig { SystemdCgroups = true }).PathOf(pod));
        Assert.Equal(CgroupMath.Shares(1000), new PodCgroups(new KubeletConfig()).ResourcesOf(pod).CpuShares);
    }

    [Theory]
    [InlineData("{}", 0, 1000)]
    [InlineData("{limits: {cpu: 1, memory: 1Gi}}", 1L << 30, -997)]
    [InlineData("{requests: {memory: 1Gi}}", 1L << 30, 750)]
    [InlineData("{requests: {cpu: 1}}", 0, 999)]
    public void The_oom_score_follows_the_class(string resources, long request, int expected) =>
        Assert.Equal(expected, ContainerResources.OomScore(PodMaker.Parse($"containers:\n- {{name: a, image: x, resources: {resources}}}"), request, 4L << 30));
}
