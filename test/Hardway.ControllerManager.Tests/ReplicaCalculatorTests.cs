using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;

namespace Hardway.ControllerManager.Tests;

public sealed class ReplicaCalculatorTests
{
    private static readonly DateTimeOffset _now = DateTimeOffset.UnixEpoch.AddYears(56);
    private static readonly Tolerance _tenth = new(0.1, 0.1);
    private readonly ReplicaCalculator _calculator = new(TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(30));

    private static Pod Pod(string name, bool ready = true, string phase = "Running", int minutesOld = 60) => new()
    {
        Metadata = new ObjectMeta { Name = name },
        Status = new PodStatus { Phase = phase, StartTime = _now.AddMinutes(-minutesOld), Conditions = [new PodCondition { Type = "Ready", Status = ready ? "True" : "False", LastTransitionTime = _now.AddMinutes(-minutesOld) }] },
    };

    private static Dictionary<string, Measured> Use(params (string Name, long Milli)[] values) => values.ToDictionary(v => v.Name, v => new Measured(v.Milli, _now, TimeSpan.FromMinutes(1)));

    private int ByUtilization(int target, Pod[] pods, Dictionary<string, Measured> use) => _calculator.ForUtilization(pods.Length, target, "cpu", pods, use, _ => 1000, _tenth, _now).Replicas;

    [Fact]
    public void Pods_over_target_grow_in_proportion_and_those_within_tolerance_do_not()
    {
        Pod[] pods = [Pod("a"), Pod("b"), Pod("c")];
        Assert.Equal(5, ByUtilization(30, pods, Use(("a", 300), ("b", 500), ("c", 700))));
        Assert.Equal(3, ByUtilization(50, pods, Use(("a", 500), ("b", 520), ("c", 540))));
        Assert.Equal(2, ByUtilization(90, pods, Use(("a", 500), ("b", 500), ("c", 500))));
    }

    [Fact]
    public void A_pod_that_was_not_measured_never_turns_the_change_round()
    {
        Pod[] pods = [Pod("a"), Pod("b"), Pod("c"), Pod("d")];
        // Growing: the missing one uses nothing. 3 x 900 of 4000 is 67 percent of 50: four become six.
        Assert.Equal(6, ByUtilization(50, pods, Use(("a", 900), ("b", 900), ("c", 900))));
        // Shrinking: it uses all it asked for. (3 x 100 + 1000) of 4000 is 32 percent of 50: three are enough.
        Assert.Equal(3, ByUtilization(50, pods, Use(("a", 100), ("b", 100), ("c", 100))));
        // Three of five missing, little use: with them it would have to grow, so it stays.
        Pod[] five = [.. pods, Pod("e")];
        Assert.Equal(5, ByUtilization(50, five, Use(("a", 300), ("b", 300))));
    }

    [Fact]
    public void The_cpu_of_a_pod_that_starts_does_not_count_when_growing()
    {
        Pod[] pods = [Pod("a"), Pod("b"), Pod("new", ready: false, minutesOld: 1)];
        Assert.Equal(3, ByUtilization(60, pods, Use(("a", 900), ("b", 900), ("new", 5000))));
        Pod[] pending = [Pod("a"), Pod("b"), Pod("p", phase: "Pending")];
        Assert.Equal(4, ByUtilization(50, pending, Use(("a", 1000), ("b", 1000))));
    }

    [Fact]
    public void One_value_for_all_counts_by_ready_pods_and_a_shared_one_by_its_share()
    {
        Assert.Equal(6, ReplicaCalculator.ForValue(3, 20_000, 10_000, 3, _tenth));
        Assert.Equal(3, ReplicaCalculator.ForValue(3, 10_500, 10_000, 3, _tenth));
        Assert.Equal(5, ReplicaCalculator.ForShare(3, 50_000, 10_000, _tenth));
        Assert.Equal(3, ReplicaCalculator.ForShare(3, 31_000, 10_000, _tenth));
        Assert.Equal(4, ReplicaCalculator.ForShare(3, 31_000, 10_000, new Tolerance(0.01, 0.01)));
    }
}
