using Hardway.Api.Apps.V1;
using Hardway.Api.Batch.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager.Tests.Server;

/// <summary>
/// Controller managers that are cut off at random points, another taking over at once, and two that work at the same time (worse than leader election ever
/// lets happen): at the end nothing is there twice and nothing is missing.
/// </summary>
public sealed class KillingTests(RealServer server) : IClassFixture<RealServer>
{
    private static readonly Func<ControllerContext, Controller>[] _all =
        [c => new DeploymentController(c), c => new ReplicaSetController(c), c => new StatefulSetController(c), c => new JobController(c), c => new EndpointSliceController(c), c => new GarbageCollectorController(c)];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_manager_that_is_killed_again_and_again_leaves_nothing_twice_and_nothing_out(int seed)
    {
        await using var cluster = await Cluster.StartAsync(server);
        var random = new Random(seed);
        cluster.RunKubelet(p => p.Metadata.Labels?.GetValueOrDefault("app") == "batch" ? "Succeeded" : "Running");
        var identities = new OneOfEachName(cluster);
        var standby = cluster.Run(_all);
        await cluster.Client.CreateAsync(Samples.Deployment(cluster.Namespace, 6), cluster.Stop);
        await cluster.Client.CreateAsync(Samples.StatefulSet(cluster.Namespace, 4, "Parallel"), cluster.Stop);
        await cluster.Client.CreateAsync(Samples.Job(cluster.Namespace, 8, 3, "Indexed"), cluster.Stop);
        await cluster.Client.CreateAsync(Samples.Service(cluster.Namespace), cluster.Stop);
        var changes = 0;
        cluster.View<Pod>().AddHandler(_ => Interlocked.Increment(ref changes));
        for (var round = 0; round < 4; round++)
        {
            var enough = Volatile.Read(ref changes) + random.Next(1, 12);
            var killed = standby;
            standby = cluster.Run(_all);
            if (round == 1) await cluster.EditAsync<Deployment>(cluster.Namespace, "web", d => d.Spec.Template.Spec.Containers![0].Image = "pause:2");
            if (round == 2) await cluster.EditAsync<Deployment>(cluster.Namespace, "web", d => d.Spec.Replicas = 3);
            await cluster.UntilAsync(() => Volatile.Read(ref changes) >= enough || IsSettled(cluster), $"round {round} to change {enough} Pods", TimeSpan.FromSeconds(2));
            await killed.DisposeAsync();
        }
        await cluster.UntilAsync(() => IsSettled(cluster), "everything to be as it should", TimeSpan.FromSeconds(5), () => Describe(cluster));
        Assert.Empty(identities.Twice);
        var job = cluster.Get<Job>("batch")!.Status;
        Assert.Equal((8, "0-7", 0), (job.Succeeded, job.CompletedIndexes, job.Failed));
        Assert.Equal(2, cluster.All<ReplicaSet>().Length);
    }

    [Fact]
    public async Task Two_managers_at_once_make_no_second_replica_set_pod_of_an_identity_or_job_index()
    {
        await using var cluster = await Cluster.StartAsync(server);
        cluster.RunKubelet(p => p.Metadata.Labels?.GetValueOrDefault("app") == "batch" ? "Succeeded" : "Running");
        var identities = new OneOfEachName(cluster);
        cluster.Run(_all);
        cluster.Run(_all);
        await cluster.Client.CreateAsync(Samples.Deployment(cluster.Namespace, 3), cluster.Stop);
        await cluster.Client.CreateAsync(Samples.StatefulSet(cluster.Namespace, 4, "Parallel"), cluster.Stop);
        await cluster.Client.CreateAsync(Samples.Job(cluster.Namespace, 5, 2, "Indexed"), cluster.Stop);
        await cluster.Client.CreateAsync(Samples.Service(cluster.Namespace), cluster.Stop);
        await cluster.EditAsync<Deployment>(cluster.Namespace, "web", d => d.Spec.Template.Spec.Containers![0].Image = "pause:2");
        await cluster.UntilAsync(() => IsSettled(cluster), "everything to be as it should", TimeSpan.FromSeconds(5), () => Describe(cluster));
        Assert.Empty(identities.Twice);
        Assert.Equal(5, cluster.Get<Job>("batch")!.Status.Succeeded);
        Assert.Equal(cluster.All<ReplicaSet>().Length, cluster.All<ReplicaSet>().Select(s => s.Spec.Template.Spec.Containers![0].Image).Distinct().Count());
    }

    private static bool IsSettled(Cluster cluster)
    {
        var pods = cluster.All<Pod>();
        var web = cluster.Get<Deployment>("web");
        var slices = cluster.All<Hardway.Api.Discovery.V1.EndpointSlice>();
        if (web is null || slices.Length == 0) return false;
        var running = pods.Where(p => p.Metadata.Labels!["app"] == "web").ToList();
        return web.Status.ObservedGeneration == web.Metadata.Generation && web.Status.AvailableReplicas == web.Spec.Replicas && web.Status.UpdatedReplicas == web.Spec.Replicas && running.Count == web.Spec.Replicas
            && slices.Sum(s => s.Endpoints?.Count(e => e.Conditions.Ready == true) ?? 0) == running.Count
            && cluster.Get<StatefulSet>("db")?.Status is { ReadyReplicas: 4, Replicas: 4 } && cluster.All<PersistentVolumeClaim>().Length == 4
            && cluster.Get<Job>("batch") is { } job && JobRules.Condition(job, "Complete") is not null;
    }

    private static string Describe(Cluster cluster) =>
        string.Join("; ", cluster.All<Pod>().GroupBy(p => $"{p.Metadata.Labels!["app"]} {p.Status.Phase}").Select(g => $"{g.Count()} {g.Key}")) + $"; deployment {cluster.Get<Deployment>("web")?.Status.AvailableReplicas} available; job {cluster.Get<Job>("batch")?.Status.CompletedIndexes}; "
        + string.Join(", ", cluster.All<Hardway.Api.Discovery.V1.EndpointSlice>().Select(s => $"slice {s.Endpoints?.Count}"));

    /// <summary>Watches for two Pods of one identity at the same time: of a StatefulSet's ordinal, or a Job's index.</summary>
    private sealed class OneOfEachName
    {
        private readonly Dictionary<string, HashSet<string>> _alive = new(StringComparer.Ordinal);

        public OneOfEachName(Cluster cluster) => cluster.View<Pod>().AddHandler(p => Seen(cluster, p, alive: true), (_, p) => Seen(cluster, p, alive: true), p => Seen(cluster, p, alive: false));

        public List<string> Twice { get; } = [];

        private void Seen(Cluster cluster, Pod pod, bool alive)
        {
            if (pod.Metadata.Namespace != cluster.Namespace || pod.Metadata.Labels?.GetValueOrDefault("app") != "db") return;
            if (!_alive.TryGetValue(pod.Metadata.Name, out var set)) _alive[pod.Metadata.Name] = set = new(StringComparer.Ordinal);
            if (alive) set.Add(pod.Metadata.Uid);
            else set.Remove(pod.Metadata.Uid);
            if (set.Count > 1) Twice.Add(pod.Metadata.Name);
        }
    }
}
