using Hardway.Api.Core.V1;
using Hardway.Kubelet.Eviction;

namespace Hardway.Kubelet.Tests.Eviction;

public sealed class EvictionRankingTests
{
    private static Pod Pod(string name, string resources = "{}", int priority = 0, string volumes = "[]")
    {
        var pod = PodMaker.Parse($"containers:\n- {{name: c, image: x, resources: {resources}}}\nvolumes: {volumes}");
        pod.Metadata.Name = name;
        pod.Metadata.Annotations = null;
        pod.Spec.Priority = priority;
        return pod;
    }

    private static PodConsumption Use(Pod pod, long memory = 0, long layer = 0, long logs = 0, long volumes = 0, long processes = 0, Dictionary<string, long>? emptyDirs = null) =>
        new(pod, [new ContainerConsumption("c", memory, layer, 0, logs, processes)], volumes, 0, emptyDirs ?? []);

    private static string[] Names(IEnumerable<PodConsumption> ranked) => [.. ranked.Select(r => r.Pod.Metadata.Name)];

    [Fact]
    public void Who_exceeds_its_request_goes_first_then_lower_priority_then_the_greater_excess() => Assert.Equal(
        ["low", "greedy", "over", "within"],
        Names(EvictionRanking.Rank(EvictionSignal.MemoryAvailable, false,
        [
            Use(Pod("within", "{requests: {memory: 1000}}"), memory: 900),
            Use(Pod("over", "{requests: {memory: 100}}", 5), memory: 200),
            Use(Pod("greedy", "{requests: {memory: 100}}", 5), memory: 600),
            Use(Pod("low", priority: 1), memory: 10),
        ])));

    [Fact]
    public void A_separate_image_store_is_freed_by_writable_layers_alone()
    {
        PodConsumption[] pods = [Use(Pod("logs"), logs: 500), Use(Pod("layer"), layer: 100)];
        Assert.Equal(["logs", "layer"], Names(EvictionRanking.Rank(EvictionSignal.NodefsAvailable, false, pods)));
        Assert.Equal(["layer", "logs"], Names(EvictionRanking.Rank(EvictionSignal.ImagefsAvailable, true, pods)));
        Assert.Equal(["logs", "layer"], Names(EvictionRanking.Rank(EvictionSignal.NodefsAvailable, true, pods)));
    }

    [Fact]
    public void Processes_have_no_request() => Assert.Equal(
        ["many", "few", "important"],
        Names(EvictionRanking.Rank(EvictionSignal.PidAvailable, false, [Use(Pod("few"), processes: 2), Use(Pod("important", priority: 10), processes: 99), Use(Pod("many"), processes: 50)])));

    [Fact]
    public void Static_and_system_critical_pods_are_never_evicted()
    {
        Assert.True(EvictionRanking.IsCritical(PodMaker.Parse("containers:\n- {name: c, image: x}")));
        Assert.True(EvictionRanking.IsCritical(Pod("critical", priority: 2_000_000_000)));
        Assert.False(EvictionRanking.IsCritical(Pod("high", priority: 1_000_000_000)));
    }

    [Fact]
    public void Limits_of_local_storage_are_those_of_volumes_containers_and_the_whole()
    {
        var volume = Pod("v", volumes: "[{name: d, emptyDir: {sizeLimit: 100}}]");
        Assert.Null(StorageLimits.Exceeded(Use(volume, emptyDirs: new() { ["d"] = 100 })));
        Assert.Contains("\"d\"", StorageLimits.Exceeded(Use(volume, emptyDirs: new() { ["d"] = 101 })), StringComparison.Ordinal);
        var container = Pod("c", "{limits: {ephemeral-storage: 100}}");
        Assert.Null(StorageLimits.Exceeded(Use(container, layer: 60, logs: 40)));
        Assert.Contains("Container c", StorageLimits.Exceeded(Use(container, layer: 61, logs: 40)), StringComparison.Ordinal);
        Assert.Contains("Pod", StorageLimits.Exceeded(Use(container, layer: 60, volumes: 41)), StringComparison.Ordinal);
        Assert.True(StorageLimits.HasAny(volume) && StorageLimits.HasAny(container) && !StorageLimits.HasAny(Pod("none")));
    }
}
