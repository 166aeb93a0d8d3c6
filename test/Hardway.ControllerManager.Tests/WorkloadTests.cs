using System.Text.Json.Nodes;
using Hardway.Api.Apps.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;
using Hardway.Client.Tests;
using Hardway.Hosting;
using Container = Hardway.Api.Core.V1.Container;

namespace Hardway.ControllerManager.Tests;

/// <summary>Deployments, ReplicaSets, Services and service accounts together, over an API in memory; the test plays the kubelet.</summary>
public sealed class WorkloadTests : IAsyncDisposable
{
    private const string Pods = "/api/v1/pods";
    private const string Sets = "/apis/apps/v1/replicasets";
    private const string Deployments = "/apis/apps/v1/deployments";
    private readonly InMemoryApi _api = new();
    private readonly KubeClient _client;
    private readonly ControllerContext _context;
    private readonly List<Controller> _controllers;
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly Task _running;
    private int _address;

    public WorkloadTests()
    {
        _client = _api.NewClient();
        _context = new ControllerContext(new ControllerManagerOptions(), _client, null, new ComponentLog(0, TextWriter.Null), new Metrics());
        _controllers = [new DeploymentController(_context), new ReplicaSetController(_context), new EndpointSliceController(_context), new EndpointsController(_context), new ServiceAccountController(_context), new RootCACertificatePublisherController(_context, "PEM"), new JobController(_context)];
        _running = Task.WhenAll([_context.RunAsync(_stop.Token), .. _controllers.Select(c => c.RunAsync(_stop.Token))]);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _api.DropWatches();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var controller in _controllers) controller.Dispose();
        _context.Dispose();
    }

    private List<JsonObject> Alive() => [.. _api.All(Pods).Where(p => p["metadata"]!["deletionTimestamp"] is null)];

    private static string Image(JsonObject pod) => (string)pod["spec"]!["containers"]![0]!["image"]!;

    private static bool IsReady(JsonObject pod) => pod["status"]?["conditions"] is JsonArray;

    /// <summary>Makes every Pod that is not ready yet ready.</summary>
    private void StartPods()
    {
        foreach (var pod in Alive().Where(p => !IsReady(p)))
        {
            var ip = $"10.200.0.{Interlocked.Increment(ref _address)}";
            try
            {
                _api.Edit(Pods, "default", (string)pod["metadata"]!["name"]!, p => p["status"] = new JsonObject
                {
                    ["phase"] = "Running",
                    ["podIP"] = ip,
                    ["podIPs"] = new JsonArray(new JsonObject { ["ip"] = ip }),
                    ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "True", ["lastTransitionTime"] = "2020-01-01T00:00:00Z" }),
                });
            }
            catch (KeyNotFoundException)
            {
                // Deleted meanwhile.
            }
        }
    }

    private Deployment NewDeployment(int replicas, string image) => new()
    {
        Metadata = new ObjectMeta { Namespace = "default", Name = "web" },
        Spec = new DeploymentSpec
        {
            Replicas = replicas,
            Selector = new LabelSelector { MatchLabels = new() { ["app"] = "web" } },
            Template = new PodTemplateSpec { Metadata = new ObjectMeta { Labels = new() { ["app"] = "web" } }, Spec = new PodSpec { Containers = [new Container { Name = "c", Image = image }] } },
            Strategy = new DeploymentStrategy { Type = "RollingUpdate", RollingUpdate = new RollingUpdateDeployment { MaxSurge = 1, MaxUnavailable = 1 } },
            RevisionHistoryLimit = 10,
            ProgressDeadlineSeconds = 600,
        },
    };

    private JsonObject Web() => _api.All(Deployments).Single();

    private bool IsComplete(int replicas, string image)
    {
        StartPods();
        var status = Web()["status"];
        return (int?)status?["updatedReplicas"] == replicas && (int?)status?["availableReplicas"] == replicas && (int?)status?["replicas"] == replicas && Alive().Count == replicas && Alive().TrueForAll(p => Image(p) == image);
    }

    private async Task EditDeploymentAsync(Action<Deployment> change)
    {
        while (true)
        {
            var now = await _client.GetAsync<Deployment>("default", "web", _stop.Token);
            change(now);
            try
            {
                await _client.UpdateAsync(now, _stop.Token);
                return;
            }
            catch (ApiException e) when (e.IsConflict)
            {
            }
        }
    }

    [Fact]
    public async Task A_deployment_gets_its_pods_rolls_to_a_new_template_within_bounds_and_scales()
    {
        await _client.CreateAsync(NewDeployment(4, "nginx:1.22"), _stop.Token);
        await _api.UntilAsync(() => IsComplete(4, "nginx:1.22"), "four Pods", _stop.Token);
        Assert.Equal("1", (string?)Web()["metadata"]!["annotations"]![Rollout.Revision]);
        await _api.UntilAsync(() => Web()["status"]!["conditions"]!.AsArray().Any(c => (string?)c!["reason"] == "NewReplicaSetAvailable"), "progress to be complete", _stop.Token);

        await EditDeploymentAsync(d => d.Spec.Template.Spec.Containers![0].Image = "nginx:1.23");
        await _api.UntilAsync(() =>
        {
            Assert.InRange(_api.All(Sets).Sum(s => (int)s["spec"]!["replicas"]!), 0, 5);
            Assert.True(Alive().Count(IsReady) >= 3, "fewer available than allowed");
            return IsComplete(4, "nginx:1.23");
        }, "the new image everywhere", _stop.Token);
        Assert.Equal("2", (string?)Web()["metadata"]!["annotations"]![Rollout.Revision]);
        Assert.Equal(2, _api.All(Sets).Count);

        await EditDeploymentAsync(d => d.Spec.Template.Spec.Containers![0].Image = "nginx:1.22");
        await _api.UntilAsync(() => IsComplete(4, "nginx:1.22"), "the way back", _stop.Token);
        Assert.Equal("3", (string?)Web()["metadata"]!["annotations"]![Rollout.Revision]);
        Assert.Equal(2, _api.All(Sets).Count);

        await EditDeploymentAsync(d => d.Spec.Replicas = 1);
        await _api.UntilAsync(() => IsComplete(1, "nginx:1.22"), "one Pod", _stop.Token);
    }

    [Fact]
    public async Task A_pod_that_is_deleted_or_fails_is_replaced()
    {
        await _client.CreateAsync(NewDeployment(2, "a"), _stop.Token);
        await _api.UntilAsync(() => IsComplete(2, "a"), "two Pods", _stop.Token);
        var gone = (string)Alive()[0]["metadata"]!["name"]!;
        await _client.DeleteAsync<Pod>("default", gone, null, _stop.Token);
        await _api.UntilAsync(() => IsComplete(2, "a") && Alive().TrueForAll(p => (string)p["metadata"]!["name"]! != gone), "the replacement", _stop.Token);
        var failed = (string)Alive()[0]["metadata"]!["name"]!;
        _api.Edit(Pods, "default", failed, p => p["status"]!["phase"] = "Failed");
        await _api.UntilAsync(() => { StartPods(); return Alive().Count(p => (string?)p["status"]?["phase"] == "Running") == 2; }, "another replacement", _stop.Token);
    }

    [Fact]
    public async Task A_service_gets_slices_and_endpoints_of_its_ready_pods()
    {
        await _client.CreateAsync(new Service { Metadata = new ObjectMeta { Namespace = "default", Name = "web" }, Spec = new ServiceSpec { ClusterIP = "10.32.0.5", IpFamilies = ["IPv4"], Selector = new() { ["app"] = "web" }, Ports = [new ServicePort { Port = 80, TargetPort = 8080, Protocol = "TCP" }] } }, _stop.Token);
        await _client.CreateAsync(NewDeployment(3, "a"), _stop.Token);
        await _api.UntilAsync(() => IsComplete(3, "a"), "three Pods", _stop.Token);
        await _api.UntilAsync(() => _api.All("/apis/discovery.k8s.io/v1/endpointslices") is [var slice] && slice["endpoints"]!.AsArray().Count(e => (bool?)e!["conditions"]!["ready"] == true) == 3, "a slice with three", _stop.Token);
        var made = (await _client.ListAsync<EndpointSlice>("default", null, _stop.Token)).Items.Single();
        Assert.Equal(8080, made.Ports![0].Port);
        Assert.Equal("web", made.Metadata.Labels!["kubernetes.io/service-name"]);
        await _api.UntilAsync(() => _api.All("/api/v1/endpoints") is [var e] && e["subsets"] is JsonArray { Count: 1 } subsets && subsets[0]!["addresses"]!.AsArray().Count == 3, "endpoints", _stop.Token);
        await EditDeploymentAsync(d => d.Spec.Replicas = 0);
        await _api.UntilAsync(() => _api.All("/apis/discovery.k8s.io/v1/endpointslices") is [var slice] && slice["endpoints"] is null or JsonArray { Count: 0 }, "an empty slice", _stop.Token);
    }

    [Fact]
    public async Task A_namespace_gets_its_service_account_and_the_authority()
    {
        await _client.CreateAsync(new Namespace { Metadata = new ObjectMeta { Name = "team" }, Status = new NamespaceStatus { Phase = "Active" } }, _stop.Token);
        await _api.UntilAsync(() => _api.All("/api/v1/serviceaccounts").Count == 1 && _api.All("/api/v1/configmaps").Count == 1, "both", _stop.Token);
        Assert.Equal("PEM", (string?)_api.All("/api/v1/configmaps")[0]["data"]!["ca.crt"]);
        await _client.DeleteAsync<ServiceAccount>("team", "default", null, _stop.Token);
        await _api.UntilAsync(() => _api.All("/api/v1/serviceaccounts").Count == 1, "the account again", _stop.Token);
    }

    [Fact]
    public async Task A_job_runs_to_completion_and_counts_each_pod_once()
    {
        var job = new Api.Batch.V1.Job { Metadata = new ObjectMeta { Namespace = "default", Name = "sum" } };
        job.Spec.Completions = 3;
        job.Spec.Parallelism = 2;
        job.Spec.BackoffLimit = 6;
        job.Spec.Selector = new LabelSelector { MatchLabels = new() { ["job-name"] = "sum" } };
        job.Spec.Template.Metadata.Labels = new() { ["job-name"] = "sum" };
        job.Spec.Template.Spec.Containers = [new Container { Name = "c", Image = "busybox" }];
        job.Spec.Template.Spec.RestartPolicy = "Never";
        await _client.CreateAsync(job, _stop.Token);
        await _api.UntilAsync(() =>
        {
            var running = _api.All(Pods).Where(p => (string?)p["status"]?["phase"] is null or "Pending").ToList();
            Assert.True(running.Count <= 2, "more than the parallelism");
            foreach (var pod in running) _api.Edit(Pods, "default", (string)pod["metadata"]!["name"]!, p => p["status"] = new JsonObject { ["phase"] = "Succeeded" });
            return _api.All("/apis/batch/v1/jobs").Single()["status"]?["conditions"] is JsonArray conditions && conditions.Any(c => (string?)c!["type"] == "Complete");
        }, "the Job to complete", _stop.Token);
        var status = _api.All("/apis/batch/v1/jobs").Single()["status"]!;
        Assert.Equal(3, (int?)status["succeeded"]);
        Assert.Equal(3, _api.All(Pods).Count);
        Assert.All(_api.All(Pods), p => Assert.True(p["metadata"]!["finalizers"] is null or JsonArray { Count: 0 }));
    }
}
