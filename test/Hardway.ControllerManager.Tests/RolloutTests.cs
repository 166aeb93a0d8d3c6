using Hardway.Api;
using Hardway.Api.Apps.V1;

namespace Hardway.ControllerManager.Tests;

public sealed class RolloutTests
{
    private static Deployment New(int replicas, IntOrString surge, IntOrString unavailable) => new()
    {
        Spec = new DeploymentSpec { Replicas = replicas, Strategy = new DeploymentStrategy { Type = "RollingUpdate", RollingUpdate = new RollingUpdateDeployment { MaxSurge = surge, MaxUnavailable = unavailable } } },
    };

    private static ReplicaSet Set(string name, int replicas, int available, int max = 0)
    {
        var set = new ReplicaSet { Spec = new ReplicaSetSpec { Replicas = replicas }, Status = new ReplicaSetStatus { AvailableReplicas = available, Replicas = replicas } };
        set.Metadata.Name = name;
        if (max > 0) set.Metadata.Annotations = new() { [Rollout.MaxReplicas] = $"{max}" };
        return set;
    }

    [Theory]
    [InlineData(10, 3, 2)]
    [InlineData(1, 1, 0)]
    [InlineData(2, 1, 0)]
    [InlineData(4, 1, 1)]
    public void Percentages_round_surge_up_and_unavailable_down(int replicas, int surge, int unavailable) =>
        Assert.Equal((surge, unavailable), Rollout.Bounds(New(replicas, "25%", "25%")));

    [Fact]
    public void Both_zero_would_never_move_so_one_may_be_unavailable() => Assert.Equal((0, 1), Rollout.Bounds(New(3, 0, 0)));

    [Theory]
    [InlineData(10, 0, 10, 3)] // nothing old has gone: only the surge
    [InlineData(10, 3, 8, 5)]
    [InlineData(10, 9, 0, 10)]
    public void The_new_set_grows_as_far_as_the_surge_allows(int replicas, int newSize, int oldSize, int expected)
    {
        var newSet = Set("new", newSize, newSize);
        Assert.Equal(expected, Rollout.NewReplicas(New(replicas, "25%", "25%"), [newSet, Set("old", oldSize, oldSize)], newSet));
    }

    [Theory]
    [InlineData(10, 3, 0, 10, 10, 8)] // new ones are not available yet: only maxUnavailable goes
    [InlineData(10, 3, 3, 10, 10, 5)]
    [InlineData(10, 5, 3, 8, 8, 5)]
    public void Old_sets_shrink_so_that_enough_stay_available(int replicas, int newSize, int newAvailable, int oldSize, int oldAvailable, int expected)
    {
        var newSet = Set("new", newSize, newAvailable);
        var old = Set("old", oldSize, oldAvailable);
        Assert.Equal(expected, Rollout.ShrinkOld(New(replicas, "25%", "25%"), [newSet, old], newSet, [old]).GetValueOrDefault(old, oldSize));
    }

    [Fact]
    public void Replicas_that_are_not_healthy_go_first()
    {
        var newSet = Set("new", 1, 1);
        var broken = Set("a-broken", 5, 0);
        var healthy = Set("b-healthy", 5, 5);
        var sizes = Rollout.ShrinkOld(New(5, 1, 0), [newSet, broken, healthy], newSet, [broken, healthy]);
        Assert.Equal(0, sizes[broken]);
        Assert.Equal(4, sizes[healthy]);
    }

    [Fact]
    public void Scaling_in_mid_rollout_is_shared_in_proportion()
    {
        var a = Set("a", 8, 8, max: 12);
        var b = Set("b", 4, 4, max: 12);
        var sizes = Rollout.ScaleProportionally(New(20, "20%", 0), [a, b]);
        Assert.Equal(16, sizes[a]);
        Assert.Equal(8, sizes[b]);
    }

    [Fact]
    public void Availability_never_falls_below_the_bound_whatever_becomes_ready()
    {
        var random = new Random(7);
        for (var run = 0; run < 300; run++)
        {
            var replicas = random.Next(1, 12);
            var deployment = New(replicas, random.Next(0, 4), random.Next(0, 4));
            var (surge, unavailable) = Rollout.Bounds(deployment);
            var old = Set("old", replicas, replicas);
            var newSet = Set("new", 0, 0);
            for (var step = 0; step < 200 && (newSet.Status.AvailableReplicas < replicas || old.Spec.Replicas > 0); step++)
            {
                var size = Rollout.NewReplicas(deployment, [newSet, old], newSet);
                if (size != newSet.Spec.Replicas) newSet.Spec.Replicas = size;
                else old.Spec.Replicas = Rollout.ShrinkOld(deployment, [newSet, old], newSet, [old]).GetValueOrDefault(old, old.Spec.Replicas!.Value);
                old.Status.AvailableReplicas = Math.Min(old.Status.AvailableReplicas, old.Spec.Replicas!.Value);
                if (random.Next(2) == 0 && newSet.Status.AvailableReplicas < newSet.Spec.Replicas) newSet.Status.AvailableReplicas++;
                Assert.True(old.Spec.Replicas + newSet.Spec.Replicas <= replicas + surge, "more than the surge");
                Assert.True(old.Status.AvailableReplicas + newSet.Status.AvailableReplicas >= replicas - unavailable, "fewer available than allowed");
            }
            Assert.Equal(replicas, newSet.Status.AvailableReplicas);
            Assert.Equal(0, old.Spec.Replicas);
        }
    }

    [Fact]
    public void The_template_hash_is_stable_and_has_the_safe_alphabet()
    {
        var template = new Api.Core.V1.PodTemplateSpec { Spec = new Api.Core.V1.PodSpec { Containers = [new Api.Core.V1.Container { Name = "c", Image = "nginx:1.22" }] } };
        var hash = PodTemplateHash.Of(template, null);
        Assert.Equal(hash, PodTemplateHash.Of(template.Clone(), null));
        Assert.NotEqual(hash, PodTemplateHash.Of(template, 1));
        Assert.Matches("^[bcdfghjklmnpqrstvwxz2456789]{10}$", hash);
    }
}
