using System.Text.Json.Nodes;

namespace Hardway.EndToEnd.Tests;

/// <summary>The real kubectl against the cluster: each verb that people use, with what it must do.</summary>
[Collection(LabCollection.Name)]
public sealed class KubectlTests : IAsyncLifetime
{
    private readonly string _namespace = "e2e-" + Guid.NewGuid().ToString("N")[..6];

    public async ValueTask InitializeAsync() => await Tool.KubeAsync("create", "namespace", _namespace);

    public async ValueTask DisposeAsync() => await Tool.KubeAsync("delete", "namespace", _namespace, "--wait=false");

    [Fact]
    public async Task Deployments_are_created_scaled_updated_rolled_back_and_restarted()
    {
        await DeployAsync("web");
        Assert.Contains("web", await KubeAsync("get", "deployments,replicasets,pods", "-o", "wide"), StringComparison.Ordinal);
        await KubeAsync("scale", "deployment/web", "--replicas=3");
        await KubeAsync("rollout", "status", "deployment/web", "--timeout=60s");
        Assert.Equal("3", await KubeAsync("get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}"));
        await KubeAsync("set", "image", "deployment/web", "nginx=nginx:latest");
        await KubeAsync("patch", "deployment", "web", "-p", """{"spec":{"template":{"spec":{"containers":[{"name":"nginx","imagePullPolicy":"IfNotPresent"}]}}}}""");
        await KubeAsync("rollout", "status", "deployment/web", "--timeout=90s");
        await KubeAsync("rollout", "undo", "deployment/web");
        await KubeAsync("rollout", "status", "deployment/web", "--timeout=90s");
        await KubeAsync("rollout", "restart", "deployment/web");
        await KubeAsync("rollout", "status", "deployment/web", "--timeout=90s");
        Assert.Contains("Replicas:", await KubeAsync("describe", "deployment", "web"), StringComparison.Ordinal);
        await KubeAsync("delete", "deployment", "web");
    }

    [Fact]
    public async Task Pods_are_entered_and_read()
    {
        var pod = await DeployAsync("web");
        Assert.Contains("nginx", await KubeAsync("exec", pod, "--", "cat", "/etc/nginx/nginx.conf"), StringComparison.OrdinalIgnoreCase);
        Assert.Equal("hello", await KubeWithInputAsync("hello", "exec", "-i", pod, "--", "cat"));
        var failed = await Tool.KubectlAsync("-n", _namespace, "exec", pod, "--", "sh", "-c", "exit 3");
        Assert.Equal(3, failed.ExitCode);
        await KubeAsync("logs", pod);
        Assert.Contains("Node:", await KubeAsync("describe", "pod", pod), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Services_are_exposed_and_forwarded_to()
    {
        await DeployAsync("web");
        await KubeAsync("expose", "deployment", "web", "--port=80", "--type=NodePort");
        var port = await KubeAsync("get", "service", "web", "-o", "jsonpath={.spec.ports[0].nodePort}");
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(3) };
        await Tool.EventuallyAsync("the NodePort answers on both nodes", TimeSpan.FromSeconds(20), async () =>
        {
            try
            {
                foreach (var node in new[] { "10.240.0.80", "10.240.0.81" })
                {
                    await http.GetStringAsync(new Uri($"http://{node}:{port}/"), TestContext.Current.CancellationToken);
                }

                return (true, "");
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                return (false, e.Message);
            }
        });
    }

    [Fact]
    public async Task Objects_are_applied_both_ways_labelled_patched_waited_for_and_deleted()
    {
        string Config(string value) => $$"""
            apiVersion: v1
            kind: ConfigMap
            metadata:
              name: settings
            data:
              key: {{value}}
            """;
        await KubeWithInputAsync(Config("one"), "apply", "-f", "-");
        Assert.Contains("configured", await KubeWithInputAsync(Config("two"), "apply", "-f", "-"), StringComparison.Ordinal);
        Assert.Contains("unchanged", await KubeWithInputAsync(Config("two"), "apply", "-f", "-"), StringComparison.Ordinal);
        await KubeWithInputAsync(Config("three"), "apply", "--server-side", "--force-conflicts", "-f", "-");
        Assert.Equal("three", await KubeAsync("get", "configmap", "settings", "-o", "jsonpath={.data.key}"));
        await KubeAsync("label", "configmap", "settings", "tier=test");
        await KubeAsync("annotate", "configmap", "settings", "note=hello");
        await KubeAsync("patch", "configmap", "settings", "--type=json", "-p", """[{"op":"add","path":"/data/more","value":"x"}]""");
        var seen = JsonNode.Parse(await KubeAsync("get", "configmap", "-l", "tier=test", "-o", "json"))!["items"]![0]!;
        Assert.Equal("hello", (string?)seen["metadata"]!["annotations"]!["note"]);
        Assert.Equal("x", (string?)seen["data"]!["more"]);
        await KubeAsync("delete", "configmap", "settings");
        Assert.Contains("NotFound", (await Tool.KubectlAsync("-n", _namespace, "get", "configmap", "settings")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_api_describes_itself()
    {
        Assert.Contains("deployments", await KubeAsync("api-resources"), StringComparison.Ordinal);
        Assert.Contains("replicas", await KubeAsync("explain", "deployment.spec"), StringComparison.Ordinal);
        Assert.Equal("yes", await KubeAsync("auth", "can-i", "create", "pods"));
        Assert.Equal("no", (await Tool.KubectlAsync("-n", _namespace, "auth", "can-i", "create", "pods", "--as=nobody")).Output.Trim());
        await KubeAsync("get", "events");
        Assert.Contains("Ready", await KubeAsync("get", "nodes", "-o", "wide"), StringComparison.Ordinal);
    }

    private async Task<string> DeployAsync(string name)
    {
        await KubeAsync("create", "deployment", name, "--image=nginx:1.22");
        await KubeAsync("rollout", "status", $"deployment/{name}", "--timeout=60s");
        return await KubeAsync("get", "pods", "-l", $"app={name}", "-o", "jsonpath={.items[0].metadata.name}");
    }

    private Task<string> KubeAsync(params string[] arguments) => Tool.KubeAsync(["-n", _namespace, .. arguments]);

    private Task<string> KubeWithInputAsync(string input, params string[] arguments) => Tool.KubeWithInputAsync(input, ["-n", _namespace, .. arguments]);
}
