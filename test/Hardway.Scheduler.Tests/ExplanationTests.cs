using Hardway.Scheduler.Configuration;
using Hardway.Scheduler.Explain;
using Hardway.Scheduler.State;
using static Hardway.Scheduler.Tests.Samples;

namespace Hardway.Scheduler.Tests;

public sealed class ExplanationTests
{
    private readonly ClusterState _state = new(new FakeListers());

    private PodExplanation Explain(PodInfo pod)
    {
        var profile = PluginTable.Make(new ProfileConfig(), NothingWritten.Services());
        return new Explanation(profile, pod, _state).Explain(null);
    }

    [Fact]
    public void Every_filter_answers_for_every_node_even_after_a_refusal()
    {
        _state.SetNode(Node("good"));
        _state.SetNode(Node("bad", cpu: "1", more: "{taints: [{key: t, effect: NoSchedule}]}"));

        var explanation = Explain(Pod("a", cpu: "2"));

        Assert.Equal(["good", "bad"], explanation.Nodes.Select(n => n.Name));
        var refused = explanation.Nodes[1].Filters.Where(f => f.Outcome == FilterOutcome.Refused).Select(f => $"{f.Plugin}: {f.Reason}");
        Assert.Equal(["TaintToleration: node(s) had untolerated taint(s)", "NodeResourcesFit: Insufficient cpu"], refused);
        Assert.Contains(explanation.Nodes[0].Filters, f => f is { Plugin: "NodePorts", Outcome: FilterOutcome.Skipped });
        Assert.Equal(explanation.Nodes[0].Total, explanation.Nodes[0].Scores.Sum(s => s.Score * s.Weight));
        Assert.Contains(explanation.Nodes[0].Scores, s => s is { Plugin: "NodeResourcesFit", Score: > 0 });
        Assert.Null(explanation.Message);
    }

    [Fact]
    public void A_pod_that_fits_nowhere_is_told_who_would_make_room()
    {
        _state.SetNode(Node("node"));
        _state.SetPod(Pod("low", "{priority: 1}", cpu: "4", node: "node"));

        var explanation = Explain(Pod("high", "{priority: 2}", cpu: "2"));

        Assert.Equal("0/1 nodes are available: 1 Insufficient cpu. preemption: node would have room without default/low.", explanation.Message);
        Assert.Null(_state.Nominated.NodeOf("default/high")); // nothing changes by looking
    }
}
