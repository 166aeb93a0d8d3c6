using Hardway.Kubelet.Probes;

namespace Hardway.Kubelet.Tests.Probes;

public sealed class ProbeStateTests
{
    [Fact]
    public void Readiness_begins_as_failed_and_follows_its_thresholds()
    {
        var state = new ProbeState(ProbeKind.Readiness, 2, 3);
        state.Follow("a");
        Assert.Equal(ProbeOutcome.Failure, state.Verdict);
        Assert.False(state.Observe(ProbeOutcome.Success));
        Assert.True(state.Observe(ProbeOutcome.Success));
        Assert.False(state.Observe(ProbeOutcome.Failure));
        Assert.False(state.Observe(ProbeOutcome.Failure));
        Assert.Equal(ProbeOutcome.Success, state.Verdict);
        Assert.True(state.Observe(ProbeOutcome.Failure));
        Assert.False(state.OnHold);
    }

    [Fact]
    public void A_failed_liveness_probe_holds_still_until_the_container_is_another()
    {
        var state = new ProbeState(ProbeKind.Liveness, 1, 2);
        state.Follow("a");
        Assert.Equal(ProbeOutcome.Success, state.Verdict);
        state.Observe(ProbeOutcome.Failure);
        Assert.True(state.Observe(ProbeOutcome.Failure));
        Assert.True(state.OnHold);
        Assert.False(state.Observe(ProbeOutcome.Success));
        Assert.True(state.Follow("b"));
        Assert.Equal(ProbeOutcome.Success, state.Verdict);
        Assert.False(state.OnHold);
    }

    [Fact]
    public void A_startup_probe_is_unknown_until_it_succeeds()
    {
        var state = new ProbeState(ProbeKind.Startup, 1, 30);
        state.Follow("a");
        state.Observe(ProbeOutcome.Failure);
        Assert.Equal(ProbeOutcome.Unknown, state.Verdict);
        Assert.True(state.Observe(ProbeOutcome.Success));
    }

    [Fact]
    public void A_probe_that_could_not_be_run_counts_for_nothing()
    {
        var state = new ProbeState(ProbeKind.Liveness, 1, 1);
        state.Follow("a");
        Assert.False(state.Observe(ProbeOutcome.Unknown));
        Assert.Equal(ProbeOutcome.Success, state.Verdict);
    }
}
