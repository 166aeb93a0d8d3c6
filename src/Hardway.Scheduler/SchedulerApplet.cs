using Hardway.Client;
using Hardway.Hosting;
using Hardway.Scheduler.Configuration;
using Hardway.Scheduler.Extenders;
using Hardway.Scheduler.Plugins.DynamicResources;
using Hardway.Scheduler.Plugins.Volumes;
using Hardway.Scheduler.Queue;
using Hardway.Scheduler.Scheduling;
using Hardway.Scheduler.State;
using Microsoft.Extensions.Logging;

namespace Hardway.Scheduler;

/// <summary>kube-scheduler: gives each Pod a node. Works only while it holds its Lease; health and metrics are served always.</summary>
public static partial class SchedulerApplet
{
    private const string Program = "kube-scheduler";

    public static Task<int> RunAsync(string[] args, CancellationToken stop)
    {
        var logs = new ComponentLog();
        var flags = new FlagSet(Program, "The Kubernetes scheduler: assigns Pods to nodes.");
        var options = new SchedulerFlags();
        options.Bind(flags);
        logs.AddFlags(flags);
        return Applet.RunAsync(flags, args, logs, cancel => RunAsync(options, logs, cancel), stop);
    }

    private static async Task<int> RunAsync(SchedulerFlags flags, ComponentLog logs, CancellationToken stop)
    {
        var config = flags.Load();
        var log = logs.CreateLogger(Program);
        var time = TimeProvider.System;
        var metrics = new Metrics();
        var health = new HealthChecks();
        using var client = new KubeClient(KubeConfig.LoadOrInCluster(config.Kubeconfig), Program, time);
        using var authentication = flags.AuthenticationKubeconfig.Length > 0 ? new KubeClient(KubeConfig.Load(flags.AuthenticationKubeconfig), Program, time) : null;
        flags.Serving.Authorize = new DelegatedAuthorization(authentication).AuthorizeAsync;
        await using var serving = new ServingHost(Program, flags.Serving, health, metrics, logs, time);
        var events = new EventRecorder(client, "default-scheduler", logs);
        Started(log, string.Join(", ", config.Profiles.Select(p => p.SchedulerName)));
        var host = new ComponentHost(Program, logs, time)
            .Add("serving", serving.RunAsync, serving.StartAsync)
            .Add("events", events.RunAsync);

        // Caches fill while standing by, so that a new leader can schedule at once.
        using var extenders = ExtenderChain.Create(config.Extenders, logs.CreateLogger("Extenders"));
        using var scheduler = Make(config, client, events, metrics, logs, time, extenders, out var watch);
        health.Add("informer-sync", () => watch.HasSynced ? null : "the first lists have not arrived", HealthEndpoints.Readyz);
        host.Add("caches", watch.RunAsync);
        host.AddInit("caches synced", watch.WaitForSyncAsync);
        host.Add("scheduling", cancel => config.LeaderElection.LeaderElect
            ? new LeaderElector(client, config.LeaderElection, Program, logs, metrics, events).RunAsync(scheduler.RunAsync, cancel)
            : scheduler.RunAsync(cancel));
        await host.RunAsync(stop).ConfigureAwait(false);
        return 0;
    }

    private static PodScheduler Make(
        SchedulerConfig config, KubeClient client, EventRecorder events, Metrics metrics, ComponentLog logs, TimeProvider time, ExtenderChain extenders, out ClusterWatch watch)
    {
        var cluster = watch = new ClusterWatch(client, logs);
        var state = new ClusterState(cluster);
        var writer = new ApiPodWriter(client, events, logs.CreateLogger("Pods"));
        var services = new PluginServices(writer, timeout => new VolumeBinder(client, cluster, timeout), new ClaimWriter(client), Random.Shared);
        var profiles = config.Profiles.ToDictionary(p => p.SchedulerName, p => PluginTable.Make(p, services), StringComparer.Ordinal);
        var queue = new SchedulingQueue(time, new QueueRules(profiles), config.InitialBackoff, config.MaxBackoff);
        new ClusterHandlers(state, queue, profiles.ContainsKey).Attach(cluster);
        var schedulerMetrics = new SchedulerMetrics(metrics);
        schedulerMetrics.Watch(queue, state);
        var algorithm = new SchedulingAlgorithm(config.PercentageOfNodesToScore, Random.Shared);
        return new PodScheduler(state, queue, algorithm, profiles, extenders, writer, schedulerMetrics, time, logs.CreateLogger("Scheduling"));
    }

    [LoggerMessage(LogLevel.Information, "kube-scheduler starts, profiles {Profiles}")]
    private static partial void Started(ILogger logger, string profiles);
}
