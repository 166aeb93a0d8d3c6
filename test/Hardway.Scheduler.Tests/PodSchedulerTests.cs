using System.Collections.Concurrent;
using Hardway.Hosting;
using Hardway.Scheduler.Configuration;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Plugins.Volumes;
using Hardway.Scheduler.Queue;
using Hardway.Scheduler.Scheduling;
using Hardway.Scheduler.State;
using Microsoft.Extensions.Logging.Abstractions;
using static Hardway.Scheduler.Tests.Samples;

namespace Hardway.Scheduler.Tests;

/// <summary>The loop with everything but the API: what it binds, refuses and undoes.</summary>
public sealed class PodSchedulerTests : IDisposable
{
    private sealed class Writer : IPodWriter
    {
        public ConcurrentDictionary<string, string> Bound { get; } = new();
        public List<string> Told { get; } = [];
        public List<string> Preempted { get; } = [];
        public Func<PodInfo, Task>? OnBind { get; set; }

        public async Task BindAsync(PodInfo pod, string node, CancellationToken cancel)
        {
            await (OnBind?.Invoke(pod) ?? Task.CompletedTask);
            Bound[pod.Key] = node;
        }

        public Task UnschedulableAsync(PodInfo pod, string message, string? nominatedNode, CancellationToken cancel)
        {
            Told.Add($"{pod.Key}: {message}{(nominatedNode is null ? "" : " -> " + nominatedNode)}");
            return Task.CompletedTask;
        }

        public Task PreemptAsync(PodInfo victim, PodInfo preemptor, string node, CancellationToken cancel)
        {
            Preempted.Add(victim.Key);
            return Task.CompletedTask;
        }

        public void BindingFailed(PodInfo pod, string message) => Told.Add($"{pod.Key}: {message}");
    }

    private sealed class NoBinder : IVolumeBinder
    {
        public Task<Refusal?> BindAsync(PodInfo pod, string node, CancellationToken cancel) => Task.FromResult<Refusal?>(null);
    }

    private readonly ClusterState _state = new();
    private readonly NominatedPods _nominated = new();
    private readonly SchedulingQueue _queue;
    private readonly PodScheduler _scheduler;
    private readonly Writer _writer = new();

    public PodSchedulerTests()
    {
        var profile = PluginTable.Make(new ProfileConfig(), new NoBinder());
        _queue = new SchedulingQueue(TimeProvider.System, _ => null, _ => ClusterEvents.All, TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(10));
        var algorithm = new SchedulingAlgorithm(new FakeListers(), _nominated, 0, new Random(1));
        _scheduler = new PodScheduler(
            _state, _queue, algorithm, _nominated, new Dictionary<string, Profile> { ["default-scheduler"] = profile }, _writer,
            new SchedulerMetrics(new Metrics()), TimeProvider.System, NullLogger.Instance);
        _state.SetNode(Node("node-0"));
    }

    public void Dispose() => _scheduler.Dispose();

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

        Assert.Equal("node-0", _writer.Bound["default/a"]);
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
        _queue.Move(ClusterEvents.AssignedPodDeleted);
        await StepAsync();
        Assert.Equal("node-0", _writer.Bound["default/high"]);
    }

    [Fact]
    public async Task A_terminating_pod_is_left_alone()
    {
        var pod = Pod("a");
        pod.Pod.Metadata.DeletionTimestamp = DateTimeOffset.UnixEpoch;
        _queue.Add(pod);
        await StepAsync();

        Assert.Empty(_writer.Bound);
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

        Assert.Single(_writer.Bound);
    }
}
