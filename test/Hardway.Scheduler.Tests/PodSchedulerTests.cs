using Hardway.Hosting;
using Hardway.Scheduler.Configuration;
using Hardway.Scheduler.Extenders;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Queue;
using Hardway.Scheduler.Scheduling;
using Hardway.Scheduler.State;
using Microsoft.Extensions.Logging.Abstractions;
using static Hardway.Scheduler.Tests.Samples;

namespace Hardway.Scheduler.Tests;

/// <summary>The loop with everything but the API: what it binds, refuses and undoes.</summary>
public sealed class PodSchedulerTests : IDisposable
{
    private readonly ClusterState _state = new(new FakeListers());
    private readonly SchedulingQueue _queue;
    private readonly PodScheduler _scheduler;
    private readonly RecordingWriter _writer = new();
    private readonly ExtenderChain _extenders = new([], NullLogger.Instance);

    public PodSchedulerTests()
    {
        var profiles = new Dictionary<string, Profile>
        {
            ["default-scheduler"] = PluginTable.Make(new ProfileConfig(), new PluginServices(_writer, _ => new RecordingBinder(), new NoClaims(), new Random(1))),
        };
        _queue = new SchedulingQueue(TimeProvider.System, new QueueRules(profiles), TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(10));
        _scheduler = new PodScheduler(
            _state, _queue, new SchedulingAlgorithm(0, new Random(1)), profiles, _extenders, _writer, new SchedulerMetrics(new Metrics()), TimeProvider.System, NullLogger.Instance);
        _state.SetNode(Node("node-0"));
    }

    public void Dispose()
    {
        _scheduler.Dispose();
        _extenders.Dispose();
    }

    private Task StepAsync() => _scheduler.StepAsync(TestContext.Current.CancellationToken);

    [Fact]
    public async Task A_pod_that_fits_is_bound_and_its_room_is_taken_at_once()
    {
        var gate = new TaskCompletionSource();
        _writer.OnBind = _ => gate.Task;
        _queue.Add(Pod("a", cpu: "3"));
        _queue.Add(Pod("b", cpu: "3"));

        await StepAsync(); // a is assumed while its binding is under way
        await StepAsync();
        gate.SetResult();

        Assert.Contains("default/b: 0/1 nodes are available: 1 Insufficient cpu.", Assert.Single(_writer.Told));
        Assert.True(_state.IsAssumed("default/a"));
    }

    [Fact]
    public async Task A_binding_that_failed_gives_the_room_back_and_tries_again()
    {
        _writer.OnBind = _ => throw new IOException("no connection");
        _queue.Add(Pod("a"));
        await StepAsync();
        Assert.Contains("default/a: no connection", _writer.Told);
        Assert.Equal(0, _state.Node("node-0")!.Requested.MilliCpu);

        _writer.OnBind = null;
        await StepAsync();

        Assert.Equal("node-0", _writer.Bindings["default/a"]);
    }

    [Fact]
    public async Task A_more_important_pod_evicts_and_then_waits_for_the_room()
    {
        _state.SetPod(Pod("low", "{priority: 1}", cpu: "4", node: "node-0"));
        _queue.Add(Pod("high", "{priority: 10}", cpu: "2"));
        await StepAsync();

        Assert.Equal(["default/low"], _writer.Preempted);
        Assert.EndsWith("-> node-0", Assert.Single(_writer.Told));

        _state.RemovePod("default/low");
        _queue.Move(new ClusterEvent(ClusterEvents.AssignedPodDeleted) { Pod = Pod("low", cpu: "4", node: "node-0") });
        await StepAsync();
        Assert.Equal("node-0", _writer.Bindings["default/high"]);
    }

    [Fact]
    public async Task Other_pods_go_on_while_victims_are_told_to_leave()
    {
        var gate = new TaskCompletionSource();
        _writer.OnPreempt = _ => gate.Task;
        _state.SetNode(Node("node-0", cpu: "5"));
        _state.SetPod(Pod("low", "{priority: 1}", cpu: "4", node: "node-0"));
        _state.Nominated.Set(Pod("hopeful", "{priority: 2}", cpu: "3"), "node-0");
        _queue.Add(Pod("high", "{priority: 10}", cpu: "4"));
        _queue.Add(Pod("small", "{priority: 0}", cpu: "1"));
        await StepAsync();
        await StepAsync();

        Assert.Equal(1, _queue.Count(QueuePlace.InFlight)); // the preemptor is not tried again before its victims know
        Assert.Empty(_writer.Preempted);
        Assert.Equal(["default/hopeful"], _writer.Cleared); // its room goes to the more important Pod
        gate.SetResult();
        Assert.Equal(["default/low"], _writer.Preempted);
        Assert.Equal("node-0", _state.Nominated.NodeOf("default/high"));
    }

    [Fact]
    public async Task A_terminating_pod_is_left_alone()
    {
        var pod = Pod("a");
        pod.Pod.Metadata.DeletionTimestamp = DateTimeOffset.UnixEpoch;
        _queue.Add(pod);
        await StepAsync();

        Assert.Empty(_writer.Bindings);
        Assert.Empty(_writer.Told);
    }

    [Fact]
    public async Task Stopping_waits_for_the_bindings_under_way()
    {
        using var stop = new CancellationTokenSource();
        var gate = new TaskCompletionSource();
        var started = new TaskCompletionSource();
        _writer.OnBind = _ =>
        {
            started.SetResult();
            return gate.Task;
        };
        _queue.Add(Pod("a"));
        var running = _scheduler.RunAsync(stop.Token);
        await started.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        Assert.False(running.IsCompleted);
        gate.SetResult();
        await running;

        Assert.Single(_writer.Bindings);
    }
}
