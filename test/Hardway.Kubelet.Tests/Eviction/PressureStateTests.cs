using Hardway.Api;
using Hardway.Kubelet.Configuration;
using Hardway.Kubelet.Eviction;

namespace Hardway.Kubelet.Tests.Eviction;

public sealed class PressureStateTests
{
    private static readonly TimeSpan Transition = TimeSpan.FromMinutes(5);
    private readonly ManualTime _time = new();

    private static Dictionary<EvictionSignal, SignalReading> Memory(long available) => new() { [EvictionSignal.MemoryAvailable] = new(Quantity.FromBytes(available), Quantity.FromBytes(1000)) };

    private static IReadOnlyList<EvictionThreshold> Thresholds(string yaml)
    {
        var config = KubeletConfigReader.Read(YamlJson.ToJson("kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\nenforceNodeAllocatable: [none]\n" + yaml), "test");
        return EvictionConfig.Thresholds(config);
    }

    [Fact]
    public void A_hard_threshold_asks_at_once_and_its_condition_outlasts_it()
    {
        var state = new PressureState(Thresholds("evictionHard: {memory.available: \"100\"}"), Transition, _time);
        Assert.Empty(state.Observe(Memory(100)));
        Assert.Empty(state.Conditions);
        Assert.Equal(EvictionSignal.MemoryAvailable, Assert.Single(state.Observe(Memory(99))).Threshold.Signal);
        Assert.Equal(["MemoryPressure"], state.Conditions);
        _time.Advance(TimeSpan.FromMinutes(4));
        Assert.Empty(state.Observe(Memory(500)));
        Assert.Equal(["MemoryPressure"], state.Conditions);
        _time.Advance(TimeSpan.FromMinutes(1));
        state.Observe(Memory(500));
        Assert.Empty(state.Conditions);
    }

    [Fact]
    public void A_soft_threshold_tells_its_condition_and_acts_after_its_grace_period()
    {
        var state = new PressureState(Thresholds("evictionHard: {memory.available: \"0%\"}\nevictionSoft: {memory.available: 30%}\nevictionSoftGracePeriod: {memory.available: 1m}"), Transition, _time);
        Assert.Empty(state.Observe(Memory(299)));
        Assert.Equal(["MemoryPressure"], state.Conditions);
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.Empty(state.Observe(Memory(299)));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Single(state.Observe(Memory(299)));
        // A moment of relief begins the period anew.
        Assert.Empty(state.Observe(Memory(300)));
        Assert.Empty(state.Observe(Memory(299)));
    }

    [Fact]
    public void A_threshold_is_left_only_with_the_minimum_reclaim_above_it()
    {
        var state = new PressureState(Thresholds("evictionHard: {memory.available: \"100\"}\nevictionMinimumReclaim: {memory.available: \"50\"}"), Transition, _time);
        Assert.Single(state.Observe(Memory(99)));
        Assert.Single(state.Observe(Memory(149)));
        Assert.Empty(state.Observe(Memory(150)));
        Assert.Empty(state.Observe(Memory(149)));
    }

    [Theory]
    [InlineData("evictionHard: {memory.free: 1Mi}", "evictionHard.memory.free")]
    [InlineData("evictionHard: {memory.available: 101%}", "evictionHard.memory.available")]
    [InlineData("evictionSoft: {nodefs.available: 10%}", "evictionSoftGracePeriod.nodefs.available")]
    [InlineData("enforceNodeAllocatable: [pods, system-reserved]", "systemReservedCgroup")]
    public void What_is_wrong_in_a_configuration_is_told_with_its_path(string yaml, string path)
    {
        var e = Assert.Throws<FormatException>(() => KubeletConfigReader.Read(YamlJson.ToJson("kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\n" + yaml), "test"));
        Assert.Contains(path, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Defaults_hold_for_signals_that_are_not_given_only_when_they_are_to_be_merged()
    {
        const string given = "evictionHard: {memory.available: 1Gi}";
        Assert.Equal([EvictionSignal.MemoryAvailable], Thresholds(given).Select(t => t.Signal));
        Assert.Contains(EvictionSignal.ImagefsAvailable, Thresholds(given + "\nmergeDefaultEvictionSettings: true").Select(t => t.Signal));
    }

    [Theory]
    [InlineData("0.52 0.58 0.59 3/1021 4321\n", 1021L)]
    [InlineData("nonsense", null)]
    public void Running_processes_are_read_off_loadavg(string text, long? expected) => Assert.Equal(expected, NodeReadings.RunningProcesses(text));
}
