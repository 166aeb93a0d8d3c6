using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.Api.Meta.V1;
using EndpointPort = Hardway.Api.Discovery.V1.EndpointPort;

namespace Hardway.ControllerManager.Tests;

public sealed class SlicePlanTests
{
    private readonly EndpointSlice _template = new() { AddressType = "IPv4", Metadata = new ObjectMeta { GenerateName = "web-", Labels = new() { ["kubernetes.io/service-name"] = "web" } } };

    private static Endpoint At(int i) => new() { Addresses = [$"10.200.0.{i}"], TargetRef = new ObjectReference { Kind = "Pod", Uid = $"uid-{i}" } };

    private static Dictionary<string, (List<EndpointPort>, List<Endpoint>)> Wanted(params int[] endpoints)
    {
        List<EndpointPort> ports = [new EndpointPort { Name = "", Port = 80, Protocol = "TCP" }];
        return endpoints.Length == 0 ? [] : new() { [SlicePlan.KeyOf(ports)] = (ports, [.. endpoints.Select(At)]) };
    }

    private EndpointSlice Existing(string name, params int[] endpoints)
    {
        var slice = (EndpointSlice)_template.DeepClone();
        slice.Metadata.Name = name;
        slice.Ports = [new EndpointPort { Name = "", Port = 80, Protocol = "TCP" }];
        slice.Endpoints = [.. endpoints.Select(At)];
        return slice;
    }

    [Fact]
    public void New_endpoints_fill_slices_up_to_the_limit()
    {
        var plan = SlicePlan.Make([], Wanted([.. Enumerable.Range(1, 5)]), _template, 2);
        Assert.Equal([2, 2, 1], plan.Create.Select(s => s.Endpoints!.Count));
    }

    [Fact]
    public void What_stands_stays_and_only_changed_slices_are_written()
    {
        var plan = SlicePlan.Make([Existing("a", 1, 2), Existing("b", 3)], Wanted(1, 2, 3, 4), _template, 2);
        Assert.Empty(plan.Create);
        Assert.Empty(plan.Delete);
        Assert.Equal("b", Assert.Single(plan.Update).Metadata.Name);
        Assert.Equal(2, plan.Update[0].Endpoints!.Count);
    }

    [Fact]
    public void A_slice_that_runs_empty_goes_but_one_placeholder_stays()
    {
        Assert.Equal("b", Assert.Single(SlicePlan.Make([Existing("a", 1), Existing("b", 2)], Wanted(1), _template, 2).Delete).Metadata.Name);
        var none = SlicePlan.Make([Existing("a", 1)], Wanted(), _template, 2);
        Assert.Empty(none.Delete);
        Assert.Empty(Assert.Single(none.Update).Endpoints!);
        Assert.Single(SlicePlan.Make([], Wanted(), _template, 2).Create);
    }

    [Fact]
    public void Nothing_changed_is_nothing_to_do()
    {
        var plan = SlicePlan.Make([Existing("a", 1, 2)], Wanted(1, 2), _template, 2);
        Assert.Empty(plan.Create.Concat(plan.Update).Concat(plan.Delete));
    }
}

public sealed class TaintTests
{
    private static readonly DateTimeOffset _now = DateTimeOffset.UnixEpoch.AddYears(50);

    private static Taint Unreachable(int secondsAgo) => new() { Key = NodeTaints.Unreachable, Effect = "NoExecute", TimeAdded = _now.AddSeconds(-secondsAgo) };

    private static Pod With(params Toleration[] tolerations) => new() { Spec = new PodSpec { Tolerations = [.. tolerations] } };

    [Fact]
    public void A_pod_that_does_not_bear_the_taint_goes_at_once() => Assert.Equal(_now, TaintEvictionController.EvictAt(With(), [Unreachable(5)], _now));

    [Fact]
    public void Toleration_seconds_count_from_when_the_taint_was_added()
    {
        var pod = With(new Toleration { Key = NodeTaints.Unreachable, Operator = "Exists", Effect = "NoExecute", TolerationSeconds = 300 });
        Assert.Equal(_now.AddSeconds(295), TaintEvictionController.EvictAt(pod, [Unreachable(5)], _now));
    }

    [Fact]
    public void A_toleration_without_seconds_is_for_ever() =>
        Assert.Null(TaintEvictionController.EvictAt(With(new Toleration { Operator = "Exists" }), [Unreachable(5)], _now));

    [Theory]
    [InlineData("True", "", new string[0])]
    [InlineData("False", NodeTaints.NotReady, new[] { NodeTaints.NotReady })]
    [InlineData("Unknown", NodeTaints.Unreachable, new[] { NodeTaints.Unreachable })]
    public void Taints_follow_the_ready_condition_and_others_stay(string ready, string evicting, string[] expected)
    {
        var node = new Node
        {
            Spec = new NodeSpec { Taints = [new Taint { Key = "dedicated", Effect = "NoSchedule" }, new Taint { Key = NodeTaints.NotReady, Effect = "NoSchedule" }, new Taint { Key = NodeTaints.NotReady, Effect = "NoExecute" }] },
            Status = new NodeStatus { Conditions = [new NodeCondition { Type = "Ready", Status = ready }] },
        };
        var wanted = NodeTaints.Wanted(node, NodeTaints.Evicting(node), _now);
        Assert.Equal(evicting, NodeTaints.Evicting(node) ?? "");
        Assert.Contains(wanted, t => t.Key == "dedicated");
        Assert.Equal(expected, wanted.Where(t => t.Effect == "NoSchedule" && t.Key != "dedicated").Select(t => t.Key));
        Assert.Equal(expected, wanted.Where(t => t.Effect == "NoExecute").Select(t => t.Key));
    }
}

public sealed class IndexSetTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("0-2,5,7,8", "0-2,5,7,8")]
    [InlineData("3,1,2", "1-3")]
    public void Intervals_are_read_and_written(string text, string expected) => Assert.Equal(expected, IndexSet.Format(IndexSet.Parse(text)));
}
