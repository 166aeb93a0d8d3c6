using Hardway.Api.Apps.V1;
using Hardway.Api.Batch.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager.Tests.Server;

/// <summary>Users, kubelets and controllers at the same time, in an order that the seed makes: the invariants hold all along, and the end is as the last word says.</summary>
public sealed class InterleavingTests(RealServer server) : IClassFixture<RealServer>
{
    private const int Steps = 12;

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public async Task A_deployment_never_asks_for_more_pods_than_allowed_nor_leaves_an_orphan(int seed)
    {
        await using var cluster = await Cluster.StartAsync(server);
        var random = new Random(seed);
        cluster.Run(c => new DeploymentController(c), c => new ReplicaSetController(c));
        cluster.RunKubelet();
        var replicas = 4;
        var allowed = replicas + 1;
        List<string> wrong = [];
        await cluster.Client.CreateAsync(Samples.Deployment(cluster.Namespace, replicas, unavailable: 0), cluster.Stop);
        // A Pod that a set no longer asks for may be there for a moment longer: what counts is what the sets ask for together.
        cluster.View<ReplicaSet>().AddHandler(_ =>
        {
            var asked = cluster.All<ReplicaSet>().Sum(r => Rollout.Replicas(r));
            if (asked > Volatile.Read(ref allowed)) lock (wrong) wrong.Add($"{asked} Pods are asked for where {allowed} are allowed");
        });
        var image = 1;
        for (var i = 0; i < Steps; i++)
        {
            var before = cluster.Get<Deployment>("web")?.Metadata.ResourceVersion;
            switch (random.Next(3))
            {
                case 0:
                    replicas = random.Next(1, 7);
                    // What was allowed before may still be there.
                    Volatile.Write(ref allowed, Math.Max(Volatile.Read(ref allowed), replicas + 1));
                    await cluster.EditAsync<Deployment>(cluster.Namespace, "web", d => d.Spec.Replicas = replicas);
                    break;
                case 1:
                    await cluster.EditAsync<Deployment>(cluster.Namespace, "web", d => d.Spec.Template.Spec.Containers![0].Image = $"pause:{++image}");
                    break;
                default:
                    if (cluster.All<Pod>() is { Length: > 0 } pods) await cluster.Client.DeleteAsync<Pod>(cluster.Namespace, pods[random.Next(pods.Length)].Metadata.Name, null, cluster.Stop);
                    break;
            }
            if (random.Next(2) == 0) await cluster.UntilAsync(() => cluster.Get<Deployment>("web")?.Metadata.ResourceVersion != before, "something to happen", TimeSpan.FromSeconds(1));
        }
        await cluster.UntilAsync(() => cluster.All<Pod>().Length == replicas && cluster.All<Pod>().All(p => PodState.IsReady(p) && p.Spec.Containers![0].Image == $"pause:{image}")
            && cluster.Get<Deployment>("web")!.Status is { } s && s.UpdatedReplicas == replicas && s.AvailableReplicas == replicas, $"{replicas} Pods of pause:{image}", TimeSpan.FromSeconds(2),
            () => string.Join(", ", cluster.All<Pod>().Select(p => $"{p.Metadata.Name} {p.Spec.Containers![0].Image} {p.Status.Phase}")));
        Assert.Empty(wrong);
        var owners = cluster.All<ReplicaSet>().Select(r => r.Metadata.Uid).ToHashSet(StringComparer.Ordinal);
        Assert.All(cluster.All<Pod>(), p => Assert.Contains(OwnerReferences.ControllerOf(p)!.Uid, owners));
    }

    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    public async Task An_ordered_stateful_set_never_has_a_pod_before_the_one_below_it_is_ready(int seed)
    {
        await using var cluster = await Cluster.StartAsync(server);
        var random = new Random(seed);
        cluster.Run(c => new StatefulSetController(c));
        cluster.RunKubelet();
        List<string> wrong = [];
        var disturbed = false;
        await cluster.Client.CreateAsync(Samples.StatefulSet(cluster.Namespace, 3), cluster.Stop);
        cluster.View<Pod>().AddHandler(added: p =>
        {
            if (p.Metadata.Namespace != cluster.Namespace || Volatile.Read(ref disturbed)) return;
            var ordinal = int.Parse(p.Metadata.Name.AsSpan(3), System.Globalization.CultureInfo.InvariantCulture);
            if (ordinal > 0 && cluster.Get<Pod>($"db-{ordinal - 1}") is not { } below) lock (wrong) wrong.Add($"{p.Metadata.Name} without the one below");
        });
        var replicas = 3;
        for (var i = 0; i < Steps; i++)
        {
            var before = cluster.Get<StatefulSet>("db")?.Metadata.ResourceVersion;
            switch (random.Next(3))
            {
                case 0:
                    replicas = random.Next(1, 5);
                    await cluster.EditAsync<StatefulSet>(cluster.Namespace, "db", s => s.Spec.Replicas = replicas);
                    break;
                case 1:
                    await cluster.EditAsync<StatefulSet>(cluster.Namespace, "db", s => s.Spec.Template.Spec.Containers![0].Image = $"pause:{random.Next(100)}");
                    break;
                default:
                    // Somebody deletes a Pod: from here the one below may be missing for a while.
                    Volatile.Write(ref disturbed, true);
                    await cluster.Client.DeleteAsync<Pod>(cluster.Namespace, $"db-{random.Next(replicas)}", null, cluster.Stop);
                    break;
            }
            if (random.Next(2) == 0) await cluster.UntilAsync(() => cluster.Get<StatefulSet>("db")?.Metadata.ResourceVersion != before, "something to happen", TimeSpan.FromSeconds(1));
        }
        var last = (await cluster.Client.GetAsync<StatefulSet>(cluster.Namespace, "db", cluster.Stop)).Spec.Template.Spec.Containers![0].Image;
        await cluster.UntilAsync(() => cluster.All<Pod>().Select(p => p.Metadata.Name).Order().SequenceEqual(Enumerable.Range(0, replicas).Select(n => $"db-{n}")) && cluster.All<Pod>().All(p => PodState.IsReady(p) && p.Spec.Containers![0].Image == last),
            $"{replicas} Pods of {last}", TimeSpan.FromSeconds(2), () => string.Join(", ", cluster.All<Pod>().Select(p => $"{p.Metadata.Name} {p.Spec.Containers![0].Image} {p.Status.Phase}")));
        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData(31)]
    [InlineData(32)]
    public async Task A_job_counts_every_pod_once_whatever_happens_to_it(int seed)
    {
        await using var cluster = await Cluster.StartAsync(server);
        var random = new Random(seed);
        var fates = new Random(seed + 1);
        cluster.Run(c => new JobController(c), c => new GarbageCollectorController(c));
        cluster.RunKubelet(_ => { lock (fates) return fates.Next(4) == 0 ? "Failed" : "Succeeded"; });
        var job = Samples.Job(cluster.Namespace, 10, 4);
        job.Spec.BackoffLimit = 1000;
        await cluster.Client.CreateAsync(job, cluster.Stop);
        List<string> wrong = [];
        var (succeeded, failed) = (0, 0);
        cluster.View<Job>().AddHandler(updated: (old, now) =>
        {
            if (now.Metadata.Namespace != cluster.Namespace) return;
            if (now.Status.Succeeded < old.Status.Succeeded || now.Status.Failed < old.Status.Failed) lock (wrong) wrong.Add($"a count went down from {old.Status.Succeeded}/{old.Status.Failed} to {now.Status.Succeeded}/{now.Status.Failed}");
        });
        cluster.View<Pod>().AddHandler(updated: (old, now) =>
        {
            if (now.Metadata.Namespace != cluster.Namespace || old.Status.Phase == now.Status.Phase) return;
            if (now.Status.Phase == "Succeeded") Interlocked.Increment(ref succeeded);
            if (now.Status.Phase == "Failed") Interlocked.Increment(ref failed);
        });
        for (var i = 0; i < 4; i++)
        {
            var parallelism = random.Next(1, 6);
            await cluster.EditAsync<Job>(cluster.Namespace, "batch", j => j.Spec.Parallelism = parallelism);
            var goal = (cluster.Get<Job>("batch")?.Status.Succeeded ?? 0) + 1;
            await cluster.UntilAsync(() => cluster.Get<Job>("batch")?.Status.Succeeded >= goal || Ended(), "one more to succeed", TimeSpan.FromSeconds(30));
        }
        await cluster.UntilAsync(Ended, "the Job to end", TimeSpan.FromSeconds(30), () => $"{cluster.Get<Job>("batch")?.Status.Succeeded} succeeded");
        var status = cluster.Get<Job>("batch")!.Status;
        Assert.Empty(wrong);
        Assert.Equal((10, Volatile.Read(ref succeeded)), (status.Succeeded, status.Succeeded));
        // Pods that the end of the Job deleted count as failed too; every one that a kubelet said had failed is among them.
        Assert.True(status.Failed >= Volatile.Read(ref failed), $"{status.Failed} counted, {failed} failed");
        Assert.All(cluster.All<Pod>(), p => Assert.True(PodState.IsFinished(p) || PodState.IsTerminating(p)));

        // The test's own view may not show the Job yet.
        bool Ended() => cluster.Get<Job>("batch") is { } seen && JobRules.IsFinished(seen);
    }

    [Theory]
    [InlineData(41)]
    [InlineData(42)]
    public async Task Endpoint_slices_hold_every_ready_pod_once_and_nothing_else(int seed)
    {
        await using var cluster = await Cluster.StartAsync(server);
        var random = new Random(seed);
        cluster.Run(c => new EndpointSliceController(c), c => new ReplicaSetController(c));
        cluster.RunKubelet();
        await cluster.Client.CreateAsync(Samples.Service(cluster.Namespace), cluster.Stop);
        await cluster.Client.CreateAsync(new ReplicaSet { Metadata = new ObjectMeta { Namespace = cluster.Namespace, Name = "web" }, Spec = new ReplicaSetSpec { Replicas = 5, Selector = Samples.Selecting("web"), Template = Samples.Template("web") } }, cluster.Stop);
        for (var i = 0; i < Steps; i++)
        {
            var pods = cluster.All<Pod>();
            switch (random.Next(4))
            {
                case 0:
                    await cluster.EditAsync<ReplicaSet>(cluster.Namespace, "web", s => s.Spec.Replicas = random.Next(1, 9));
                    break;
                case 1 when pods.Length > 0:
                    await cluster.Client.DeleteAsync<Pod>(cluster.Namespace, pods[random.Next(pods.Length)].Metadata.Name, null, cluster.Stop);
                    break;
                case 2 when cluster.All<EndpointSlice>() is { Length: > 0 } slices:
                    await cluster.Client.DeleteAsync<EndpointSlice>(cluster.Namespace, slices[random.Next(slices.Length)].Metadata.Name, null, cluster.Stop);
                    break;
                default:
                    await cluster.EditAsync<Service>(cluster.Namespace, "web", s => s.Spec.Ports![0].TargetPort = 8000 + random.Next(100));
                    break;
            }
            if (random.Next(3) == 0) await cluster.UntilAsync(() => Addresses(cluster).SequenceEqual(Expected(cluster)), "the slices to follow");
        }
        var port = (await cluster.Client.GetAsync<Service>(cluster.Namespace, "web", cluster.Stop)).Spec.Ports![0].TargetPort!.Value.IntValue;
        await cluster.UntilAsync(() => Expected(cluster).Count > 0 && Addresses(cluster).SequenceEqual(Expected(cluster)) && cluster.All<EndpointSlice>().All(s => s.Ports![0].Port == port), "the slices to be right", null,
            () => $"{string.Join(',', Addresses(cluster))} instead of {string.Join(',', Expected(cluster))}");
    }

    private static List<string> Expected(Cluster cluster) => [.. cluster.All<Pod>().Where(p => PodState.IsReady(p) && !PodState.IsTerminating(p)).Select(p => p.Status.PodIP).Order(StringComparer.Ordinal)];

    private static List<string> Addresses(Cluster cluster) => [.. cluster.All<EndpointSlice>().SelectMany(s => s.Endpoints ?? []).Where(e => e.Conditions.Ready == true).SelectMany(e => e.Addresses ?? []).Order(StringComparer.Ordinal)];

    [Theory]
    [InlineData(51)]
    [InlineData(52)]
    public async Task The_garbage_collector_leaves_no_orphan_and_takes_nothing_that_is_owned(int seed)
    {
        await using var cluster = await Cluster.StartAsync(server);
        var random = new Random(seed);
        cluster.Run(c => new GarbageCollectorController(c));
        List<ConfigMap> made = [];
        // A forest: each has up to two owners among those made before.
        for (var i = 0; i < 25; i++)
        {
            var map = new ConfigMap { Metadata = new ObjectMeta { Namespace = cluster.Namespace, Name = $"m{i}" } };
            for (var o = random.Next(3); o > 0 && made.Count > 0; o--)
            {
                var owner = made[random.Next(made.Count)];
                if (map.Metadata.OwnerReferences?.Exists(r => r.Uid == owner.Metadata.Uid) == true) continue;
                (map.Metadata.OwnerReferences ??= []).Add(new OwnerReference { ApiVersion = "v1", Kind = "ConfigMap", Name = owner.Metadata.Name, Uid = owner.Metadata.Uid, BlockOwnerDeletion = random.Next(2) == 0 });
            }
            made.Add(await cluster.Client.CreateAsync(map, cluster.Stop));
        }
        HashSet<string> deleted = new(StringComparer.Ordinal);
        HashSet<string> orphaned = new(StringComparer.Ordinal);
        foreach (var root in made.OrderBy(_ => random.Next()).Take(6))
        {
            var policy = new[] { "Background", "Foreground", "Orphan" }[random.Next(3)];
            if (await cluster.Client.DeleteAsync<ConfigMap>(cluster.Namespace, root.Metadata.Name, new DeleteOptions { PropagationPolicy = policy }, cluster.Stop)) (policy == "Orphan" ? orphaned : deleted).Add(root.Metadata.Name);
        }
        await cluster.UntilAsync(() => IsClean(cluster.All<ConfigMap>()) && !deleted.Concat(orphaned).Any(d => cluster.Get<ConfigMap>(d) is not null), "what is left to have living owners", TimeSpan.FromSeconds(5),
            () => string.Join(", ", cluster.All<ConfigMap>().Select(m => $"{m.Metadata.Name}<-{string.Join('+', m.Metadata.OwnerReferences?.Select(o => o.Name) ?? [])}{(m.Metadata.DeletionTimestamp is null ? "" : " going")}")));
        var left = cluster.All<ConfigMap>().Select(m => m.Metadata.Name).ToHashSet(StringComparer.Ordinal);
        // One that never had an owner and was not deleted is still there.
        Assert.All(made.Where(m => m.Metadata.OwnerReferences is null && !deleted.Contains(m.Metadata.Name) && !orphaned.Contains(m.Metadata.Name)), m => Assert.Contains(m.Metadata.Name, left));
    }

    private static bool IsClean(ConfigMap[] all)
    {
        var living = all.Select(m => m.Metadata.Uid).ToHashSet(StringComparer.Ordinal);
        return all.All(m => m.Metadata.DeletionTimestamp is null && (m.Metadata.OwnerReferences ?? []).TrueForAll(o => living.Contains(o.Uid)));
    }
}
