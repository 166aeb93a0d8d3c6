using Hardway.Scheduler.Configuration;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Queue;
using static Hardway.Scheduler.Tests.Samples;

namespace Hardway.Scheduler.Tests;

public sealed class QueueTests : IDisposable
{
    private sealed class ManualTime : TimeProvider
    {
        private DateTimeOffset _now = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => _now;

        public void Advance(double seconds) => _now += TimeSpan.FromSeconds(seconds);
    }

    private readonly ManualTime _time = new();
    private readonly SchedulingQueue _queue;

    public QueueTests()
    {
        var profile = PluginTable.Make(new ProfileConfig(), new PluginServices(new RecordingWriter(), _ => new RecordingBinder(), new NoClaims(), new Random(1)));
        _queue = new SchedulingQueue(
            _time, new QueueRules(new Dictionary<string, Profile> { ["default-scheduler"] = profile }), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
    }

    public void Dispose() => _queue.Dispose();

    private async Task<QueuedPod> PopAsync() => await _queue.PopAsync(TestContext.Current.CancellationToken);

    [Fact]
    public async Task The_more_important_pod_comes_first_then_the_older()
    {
        _queue.Add(Pod("old"));
        _time.Advance(1);
        _queue.Add(Pod("young"));
        _queue.Add(Pod("vip", "{priority: 5}"));

        Assert.Equal(["default/vip", "default/old", "default/young"], [(await PopAsync()).Pod.Key, (await PopAsync()).Pod.Key, (await PopAsync()).Pod.Key]);
    }

    [Fact]
    public async Task A_refused_pod_waits_for_an_event_that_its_plugin_cares_about()
    {
        _queue.Add(Pod("a"));
        _queue.Refused(await PopAsync(), ["NodeResourcesFit"]);

        _queue.Move(ClusterEvents.NodeTaints);
        Assert.Equal(1, _queue.Count(QueuePlace.Unschedulable));
        _queue.Move(ClusterEvents.AssignedPodDeleted);
        Assert.Equal(1, _queue.Count(QueuePlace.Backoff)); // its back-off of a second is not over
        _time.Advance(1);
        Assert.Equal(2, (await PopAsync()).Attempts);
    }

    [Fact]
    public async Task An_event_wakes_only_whom_it_can_help()
    {
        _queue.Add(Pod("large", cpu: "8"));
        _queue.Refused(await PopAsync(), ["NodeResourcesFit"]);

        _queue.Move(new ClusterEvent(ClusterEvents.NodeAdded) { Node = Node("small", cpu: "4") });
        Assert.Equal(1, _queue.Count(QueuePlace.Unschedulable));
        _queue.Move(new ClusterEvent(ClusterEvents.NodeAdded) { Node = Node("big", cpu: "16") });
        Assert.Equal(1, _queue.Count(QueuePlace.Backoff));
    }

    [Fact]
    public async Task Who_waits_for_five_minutes_tries_again()
    {
        _queue.Add(Pod("a"));
        _queue.Refused(await PopAsync(), ["NodeName"]);
        _time.Advance(301);

        Assert.Equal(2, (await PopAsync()).Attempts);
    }

    [Fact]
    public async Task An_event_during_the_cycle_is_not_lost()
    {
        _queue.Add(Pod("a"));
        var queued = await PopAsync();
        _queue.Move(ClusterEvents.NodeAdded);
        _queue.Refused(queued, ["NodeResourcesFit"]);

        Assert.Equal(1, _queue.Count(QueuePlace.Backoff));
    }

    [Fact]
    public async Task A_pod_that_was_deleted_meanwhile_does_not_come_back()
    {
        _queue.Add(Pod("a"));
        var queued = await PopAsync();
        _queue.Remove("default/a");
        _queue.Refused(queued, []);

        Assert.All(Enum.GetValues<QueuePlace>(), place => Assert.Equal(0, _queue.Count(place)));
    }

    [Fact]
    public async Task A_gated_pod_waits_until_its_gates_are_gone()
    {
        _queue.Add(Pod("a", "{schedulingGates: [{name: example.org/wait}]}"));
        Assert.Equal(1, _queue.Count(QueuePlace.Gated));

        _queue.Add(Pod("a"));

        Assert.Equal("default/a", (await PopAsync()).Pod.Key);
    }

    [Fact]
    public async Task Our_own_condition_does_not_wake_a_pod_and_a_change_of_its_spec_does()
    {
        _queue.Add(Pod("a"));
        _queue.Refused(await PopAsync(), ["NodeResourcesFit"]);

        var conditioned = Pod("a");
        conditioned.Pod.Status.Phase = "Pending";
        _queue.Update(conditioned);
        Assert.Equal(1, _queue.Count(QueuePlace.Unschedulable));
        _queue.Update(Pod("a", cpu: "50m"));
        Assert.Equal(1, _queue.Count(QueuePlace.Backoff));
    }
}
