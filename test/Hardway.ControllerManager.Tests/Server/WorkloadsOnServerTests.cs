using Hardway.Api.Apps.V1;
using Hardway.Api.Batch.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager.Tests.Server;

/// <summary>The controllers of workloads on a real API server.</summary>
public sealed class WorkloadsOnServerTests(RealServer server) : IClassFixture<RealServer>
{
    private static bool IsReady(Pod pod) => PodState.IsReady(pod) && !PodState.IsTerminating(pod);

    [Fact]
    public async Task A_rolling_update_keeps_within_its_bounds_and_ends_with_every_pod_new()
    {
        await using var cluster = await Cluster.StartAsync(server);
        cluster.Run(c => new DeploymentController(c), c => new ReplicaSetController(c), c => new EndpointSliceController(c));
        cluster.RunKubelet();
        var pods = cluster.View<Pod>();
        await cluster.Client.CreateAsync(Samples.Service(cluster.Namespace), cluster.Stop);
        await cluster.Client.CreateAsync(Samples.Deployment(cluster.Namespace, 5), cluster.Stop);
        bool Complete(string image) => cluster.All<Pod>().Where(IsReady).Count(p => p.Spec.Containers![0].Image == image) == 5 && cluster.All<Pod>().Length == 5 && cluster.Get<Deployment>("web")?.Status is { AvailableReplicas: 5, UpdatedReplicas: 5, Replicas: 5 };
        await cluster.UntilAsync(() => Complete("pause:1"), "five Pods of the first template");
        var fewest = int.MaxValue;
        var most = 0;
        pods.AddHandler(_ => fewest = Math.Min(fewest, cluster.All<Pod>().Count(IsReady)));
        cluster.View<ReplicaSet>().AddHandler(_ => most = Math.Max(most, cluster.All<ReplicaSet>().Sum(r => Rollout.Replicas(r))));
        await cluster.EditAsync<Deployment>(cluster.Namespace, "web", d => d.Spec.Template.Spec.Containers![0].Image = "pause:2");
        await cluster.UntilAsync(() => Complete("pause:2"), "five Pods of the second template");
        Assert.True(fewest >= 4, $"only {fewest} were ready at one time");
        Assert.True(most <= 6, $"{most} were asked for at one time");
        await cluster.UntilAsync(() => cluster.All<EndpointSlice>().Sum(s => s.Endpoints?.Count(e => e.Conditions.Ready == true) ?? 0) == 5, "five ready endpoints");
        Assert.Equal(["1", "2"], cluster.All<ReplicaSet>().Select(s => s.Metadata.Annotations![Rollout.Revision]).Order());
    }

    [Fact]
    public async Task A_stateful_set_starts_in_order_and_its_claims_go_as_the_retention_policy_says()
    {
        await using var cluster = await Cluster.StartAsync(server);
        cluster.Run(c => new StatefulSetController(c), c => new GarbageCollectorController(c), c => new PersistentVolumeClaimProtectionController(c));
        cluster.RunKubelet();
        List<string> order = [];
        cluster.View<Pod>().AddHandler(added: p => { if (p.Metadata.Namespace == cluster.Namespace) order.Add(p.Metadata.Name); });
        var set = Samples.StatefulSet(cluster.Namespace, 3);
        set.Spec.PersistentVolumeClaimRetentionPolicy = new StatefulSetPersistentVolumeClaimRetentionPolicy { WhenScaled = "Delete", WhenDeleted = "Retain" };
        await cluster.Client.CreateAsync(set, cluster.Stop);
        await cluster.UntilAsync(() => cluster.Get<StatefulSet>("db")?.Status is { ReadyReplicas: 3 } && cluster.All<PersistentVolumeClaim>().Length == 3, "three Pods and their claims");
        Assert.Equal(["db-0", "db-1", "db-2"], order);
        Assert.All(cluster.All<PersistentVolumeClaim>(), c => Assert.Null(c.Metadata.OwnerReferences));
        await cluster.EditAsync<StatefulSet>(cluster.Namespace, "db", s => s.Spec.Replicas = 1);
        await cluster.UntilAsync(() => cluster.All<Pod>().Length == 1 && cluster.All<PersistentVolumeClaim>().Length == 1, "the Pods that were scaled away to take their claims with them",
            () => string.Join(", ", cluster.All<PersistentVolumeClaim>().Select(c => c.Metadata.Name)));
        await cluster.EditAsync<StatefulSet>(cluster.Namespace, "db", s => s.Spec.PersistentVolumeClaimRetentionPolicy!.WhenDeleted = "Delete");
        await cluster.UntilAsync(() => cluster.All<PersistentVolumeClaim>().All(c => c.Metadata.OwnerReferences?.Exists(o => o.Kind == "StatefulSet") == true), "the set to own the claim that is left");
    }

    [Fact]
    public async Task An_update_of_a_stateful_set_stops_at_the_partition()
    {
        await using var cluster = await Cluster.StartAsync(server);
        cluster.Run(c => new StatefulSetController(c));
        cluster.RunKubelet();
        var set = Samples.StatefulSet(cluster.Namespace, 3, "Parallel");
        set.Spec.UpdateStrategy = new StatefulSetUpdateStrategy { Type = "RollingUpdate", RollingUpdate = new RollingUpdateStatefulSetStrategy { Partition = 1 } };
        await cluster.Client.CreateAsync(set, cluster.Stop);
        await cluster.UntilAsync(() => cluster.Get<StatefulSet>("db")?.Status.ReadyReplicas == 3, "three Pods");
        await cluster.EditAsync<StatefulSet>(cluster.Namespace, "db", s => s.Spec.Template.Spec.Containers![0].Image = "pause:2");
        await cluster.UntilAsync(() => cluster.Get<StatefulSet>("db")?.Status is { ReadyReplicas: 3, UpdatedReplicas: 2 }, "two Pods to be new");
        Assert.Equal(["db-0=pause:1", "db-1=pause:2", "db-2=pause:2"], cluster.All<Pod>().Select(p => $"{p.Metadata.Name}={p.Spec.Containers![0].Image}").Order());
    }

    [Fact]
    public async Task An_indexed_job_gives_up_on_an_index_that_fails_too_often_and_finishes_the_others()
    {
        await using var cluster = await Cluster.StartAsync(server);
        cluster.Run(c => new JobController(c));
        cluster.RunKubelet(p => JobRules.IndexOf(p) == 1 ? "Failed" : "Succeeded");
        var job = Samples.Job(cluster.Namespace, 3, 3, "Indexed");
        job.Spec.BackoffLimitPerIndex = 1;
        await cluster.Client.CreateAsync(job, cluster.Stop);
        await cluster.UntilAsync(() => cluster.Get<Job>("batch") is { } now && JobRules.Condition(now, "Failed") is not null, "the Job to fail", TimeSpan.FromSeconds(5),
            () => $"{cluster.Get<Job>("batch")?.Status.Failed} failed, indexes {cluster.Get<Job>("batch")?.Status.FailedIndexes}");
        var status = cluster.Get<Job>("batch")!.Status;
        Assert.Equal(("0,2", "1", 2, 2), (status.CompletedIndexes, status.FailedIndexes, status.Succeeded, status.Failed));
        Assert.Equal("FailedIndexes", JobRules.Condition(cluster.Get<Job>("batch")!, "Failed")!.Reason);
        Assert.Equal(["0", "1"], cluster.All<Pod>().Where(p => JobRules.IndexOf(p) == 1).Select(p => p.Metadata.Annotations![JobRules.IndexFailures]).Order());
    }

    [Fact]
    public async Task A_suspended_job_runs_nothing_and_goes_on_when_it_is_resumed()
    {
        await using var cluster = await Cluster.StartAsync(server);
        cluster.Run(c => new JobController(c));
        cluster.RunKubelet(_ => cluster.Get<Job>("batch")?.Spec.Suspend == true ? null : "Succeeded");
        var job = Samples.Job(cluster.Namespace, 4, 2);
        job.Spec.Suspend = true;
        await cluster.Client.CreateAsync(job, cluster.Stop);
        await cluster.UntilAsync(() => cluster.Get<Job>("batch")?.Status.Conditions?.Exists(c => c is { Type: "Suspended", Status: "True" }) == true, "the Job to be suspended");
        Assert.Empty(cluster.All<Pod>());
        await cluster.EditAsync<Job>(cluster.Namespace, "batch", j => j.Spec.Suspend = false);
        await cluster.UntilAsync(() => cluster.Get<Job>("batch") is { Status.Succeeded: 4 } now && JobRules.Condition(now, "Complete") is not null, "the Job to be complete");
        Assert.Equal(4, cluster.All<Pod>().Length);
    }

    [Fact]
    public async Task A_success_policy_ends_a_job_when_its_leader_succeeded()
    {
        await using var cluster = await Cluster.StartAsync(server);
        cluster.Run(c => new JobController(c));
        cluster.RunKubelet(p => JobRules.IndexOf(p) == 0 ? "Succeeded" : "Running");
        var job = Samples.Job(cluster.Namespace, 3, 3, "Indexed");
        job.Spec.SuccessPolicy = new SuccessPolicy { Rules = [new SuccessPolicyRule { SucceededCount = 3 }, new SuccessPolicyRule { SucceededIndexes = "0" }] };
        await cluster.Client.CreateAsync(job, cluster.Stop);
        await cluster.UntilAsync(() => cluster.Get<Job>("batch") is { } now && JobRules.Condition(now, "Complete") is not null, "the Job to be complete");
        var complete = JobRules.Condition(cluster.Get<Job>("batch")!, "SuccessCriteriaMet")!;
        Assert.Equal(("SuccessPolicy", true), (complete.Reason, complete.Message.EndsWith("index 1", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_daemon_set_has_one_pod_on_every_node_it_fits_and_replaces_a_failed_one_ever_later()
    {
        await using var cluster = await Cluster.StartAsync(server);
        foreach (var name in new[] { "a", "b", "c" })
        {
            var node = Samples.Node($"{cluster.Namespace}-{name}");
            node.Metadata.Labels = new() { ["group"] = cluster.Namespace, ["name"] = name };
            await cluster.Client.CreateAsync(node, cluster.Stop);
            await cluster.EditAsync<Node>(null, node.Metadata.Name, n => n.Spec.Taints = name == "c" ? [new Taint { Key = "special", Effect = "NoSchedule" }] : null);
        }
        cluster.Run(c => new DaemonSetController(c));
        var failing = true;
        cluster.RunKubelet(p => failing && DaemonRules.NodeOf(p).EndsWith("-b", StringComparison.Ordinal) ? "Failed" : "Running");
        var template = Samples.Template("agent");
        template.Spec.NodeSelector = new() { ["group"] = cluster.Namespace };
        await cluster.Client.CreateAsync(new DaemonSet { Metadata = new ObjectMeta { Namespace = cluster.Namespace, Name = "agent" }, Spec = new DaemonSetSpec { Selector = Samples.Selecting("agent"), Template = template } }, cluster.Stop);
        await cluster.UntilAsync(() => cluster.Get<DaemonSet>("agent")?.Status is { DesiredNumberScheduled: 2, NumberReady: 1 } && cluster.All<Pod>().Any(p => p.Status.Phase == "Failed"), "one Pod ready and one failed");
        failing = false;
        await cluster.UntilAsync(() => cluster.Get<DaemonSet>("agent")?.Status is { NumberReady: 2, NumberAvailable: 2 }, "both Pods ready", TimeSpan.FromSeconds(1));
        Assert.Equal(2, cluster.All<Pod>().Select(DaemonRules.NodeOf).Distinct().Count());
    }

    [Fact]
    public async Task A_cron_job_makes_one_job_for_each_minute_whatever_time_skips()
    {
        await using var cluster = await Cluster.StartAsync(server);
        cluster.Run(c => new CronJobController(c), c => new JobController(c));
        cluster.RunKubelet(_ => "Succeeded");
        var cron = new CronJob
        {
            Metadata = new ObjectMeta { Namespace = cluster.Namespace, Name = "tick" },
            Spec = new CronJobSpec { Schedule = "*/5 * * * *", TimeZone = "Europe/Berlin", SuccessfulJobsHistoryLimit = 2, JobTemplate = new JobTemplateSpec { Spec = Samples.Job("", 1, 1).Spec } },
        };
        await cluster.Client.CreateAsync(cron, cluster.Stop);
        HashSet<string> names = new(StringComparer.Ordinal);
        cluster.View<Job>().AddHandler(added: j => { if (j.Metadata.Namespace == cluster.Namespace) lock (names) names.Add(j.Metadata.Name); });
        await cluster.UntilAsync(() => { lock (names) return names.Count >= 4; }, "four Jobs", TimeSpan.FromMinutes(1));
        await cluster.UntilAsync(() => cluster.All<Job>().Count(JobRules.IsFinished) <= 2 && cluster.Get<CronJob>("tick")?.Status.LastSuccessfulTime is not null, "the old ones to be removed", TimeSpan.FromMinutes(1));
        Assert.All(names, n => Assert.Equal(0, long.Parse(n.AsSpan(n.LastIndexOf('-') + 1), System.Globalization.CultureInfo.InvariantCulture) % 5));
    }
}
