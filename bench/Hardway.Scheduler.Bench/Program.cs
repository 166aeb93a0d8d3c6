using System.Diagnostics;
using System.Globalization;
using Hardway.Api;
using Hardway.Hosting;
using Hardway.Scheduler.Bench;
using Hardway.Scheduler.Configuration;
using Hardway.Scheduler.Extenders;
using Hardway.Scheduler.Queue;
using Hardway.Scheduler.Scheduling;
using Hardway.Scheduler.State;
using Hardway.Scheduler;
using Microsoft.Extensions.Logging.Abstractions;

// Scheduling rate of the whole loop (queue, filters, scores, assume, binding beside, confirmation by the informer's handler) on simulated nodes, with
// an API that answers at once. On a shared machine "per CPU s" (Pods for each second of processor time) is the figure to compare.
// Usage: Hardway.Scheduler.Bench [PODS] [NODES...]
var pods = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 10_000;
int[] sizes = args.Length > 1 ? [.. args[1..].Select(a => int.Parse(a, CultureInfo.InvariantCulture))] : [100, 1_000, 5_000];
Console.WriteLine($"{pods} Pods each; processors {Environment.ProcessorCount}");
Console.WriteLine($"{"nodes",6} {"Pods",-26} {"Pods/s",8} {"per CPU s",9} {"p50 us",8} {"p99 us",8} {"bytes/Pod",10}");
foreach (var nodes in sizes)
{
    foreach (var scenario in Scenario.All)
    {
        await Measure(nodes, Math.Min(pods, nodes * 200), scenario);
    }
}

static async Task Measure(int nodes, int pods, Scenario scenario)
{
    var listers = new EmptyListers(scenario.InSet ? Selector.Parse("app=web") : Selector.Nothing);
    var state = new ClusterState(listers);
    for (var i = 0; i < nodes; i++)
    {
        state.SetNode(Scenario.Node(i));
    }

    var writer = new InstantWriter(state);
    var profile = PluginTable.Make(new ProfileConfig(), new PluginServices(writer, _ => null!, null!, new Random(1)));
    var profiles = new Dictionary<string, Hardway.Scheduler.Framework.Profile> { ["default-scheduler"] = profile };
    var queue = new SchedulingQueue(TimeProvider.System, new QueueRules(profiles), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
    using var scheduler = new PodScheduler(
        state, queue, new SchedulingAlgorithm(0, new Random(1)), profiles, new ExtenderChain([], NullLogger.Instance), writer, new SchedulerMetrics(new Metrics()),
        TimeProvider.System, NullLogger.Instance);
    for (var i = 0; i < pods; i++)
    {
        queue.Add(scenario.Pod(i));
    }

    var times = new double[pods];
    var allocated = GC.GetTotalAllocatedBytes();
    var processor = Environment.CpuUsage.TotalTime;
    var watch = Stopwatch.StartNew();
    for (var i = 0; i < pods; i++)
    {
        var start = Stopwatch.GetTimestamp();
        await scheduler.StepAsync(CancellationToken.None);
        times[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }

    var took = watch.Elapsed;
    var used = Environment.CpuUsage.TotalTime - processor;
    Array.Sort(times);
    if (writer.Count != pods)
    {
        throw new InvalidOperationException($"{writer.Count} of {pods} Pods were bound");
    }

    Console.WriteLine(
        $"{nodes,6} {scenario.Name,-26} {pods / took.TotalSeconds,8:F0} {pods / used.TotalSeconds,9:F0} {times[pods / 2],8:F0} {times[pods * 99 / 100],8:F0} {(GC.GetTotalAllocatedBytes() - allocated) / pods,10}");
}
