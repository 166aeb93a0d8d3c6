using System.Diagnostics;
using System.Text.Json;
using static Hardway.EndToEnd.ProgramRun;

namespace Hardway.EndToEnd;

/// <summary>The real kubectl against the cluster, a namespace a test.</summary>
public sealed class KubectlTests
{
    private readonly string _namespace = "e2e-" + Guid.NewGuid().ToString("N")[..8];

    private Task<string> K(params string[] arguments) => KubectlAsync(["-n", _namespace, .. arguments]);

    private async Task InNamespaceAsync(Func<Task> body)
    {
        await KubectlAsync("create", "namespace", _namespace);
        await body();
        await KubectlAsync("delete", "namespace", _namespace, "--wait=false");
    }

    private async Task WebAsync(int replicas = 2)
    {
        await K("create", "deployment", "web", "--image=nginx:1.22", "--port=80", $"--replicas={replicas}");
        await K("rollout", "status", "deployment/web", "--timeout=90s");
    }

    [Fact]
    public Task A_deployment_answers_on_every_way_to_it() => InNamespaceAsync(async () =>
    {
        await WebAsync();
        await K("expose", "deployment", "web", "--port=80", "--type=NodePort");
        await K("run", "client", "--image=busybox:1.36", "--restart=Never", "--", "sleep", "3600");
        await K("wait", "--for=condition=Ready", "pod/client", "--timeout=60s");
        var port = await K("get", "service", "web", "-o", "jsonpath={.spec.ports[0].nodePort}");
        var clusterIp = await K("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}");
        var pods = (await K("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].status.podIP}")).Split(' ');

        Assert.Equal(2, (await K("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].spec.nodeName}")).Split(' ').Distinct().Count());
        foreach (var url in new[] { $"http://{pods[0]}", $"http://{pods[1]}", $"http://{clusterIp}", "http://web", $"http://web.{_namespace}.svc.cluster.local" })
            await EventuallyAsync(url, TimeSpan.FromSeconds(15), () => TryKubectlAsync("-n", _namespace, "exec", "client", "--", "timeout", "3", "wget", "-q", "-O", "-", url), page => page.Contains("Welcome to nginx", StringComparison.Ordinal));
        foreach (var node in new[] { "10.240.0.80", "10.240.0.81" })
            await EventuallyAsync(node, TimeSpan.FromSeconds(15), () => RunAsync("curl", TimeSpan.FromSeconds(5), ["-s", $"http://{node}:{port}"]), page => page.Contains("Welcome to nginx", StringComparison.Ordinal));
    });

    [Fact]
    public Task Logs_exec_cp_and_port_forward_reach_a_pod() => InNamespaceAsync(async () =>
    {
        await WebAsync(1);
        var pod = await K("get", "pods", "-o", "jsonpath={.items[0].metadata.name}");

        Assert.Equal(pod, (await K("exec", pod, "--", "hostname")).Trim());
        Assert.Equal(7, (await TryKubectlAsync("-n", _namespace, "exec", pod, "--", "sh", "-c", "exit 7")).ExitCode);
        Assert.Equal("through stdin", (await RunAsync(ProgramRun.Hardway, TimeSpan.FromSeconds(20), ["kubectl", "-n", _namespace, "exec", "-i", pod, "--", "cat"], "through stdin")).Output);
        await ForwardAsync(pod);
        Assert.Contains("GET /forwarded", await EventuallyAsync("the request in the log", TimeSpan.FromSeconds(10), () => TryKubectlAsync("-n", _namespace, "logs", pod), log => log.Contains("GET /forwarded", StringComparison.Ordinal)), StringComparison.Ordinal);
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "copied", TestContext.Current.CancellationToken);
        await K("cp", file, $"{pod}:/tmp/copied");
        Assert.Equal("copied", await K("exec", pod, "--", "cat", "/tmp/copied"));
        File.Delete(file);
    });

    private async Task ForwardAsync(string pod)
    {
        var start = new ProcessStartInfo(ProgramRun.Hardway, ["kubectl", "-n", _namespace, "port-forward", pod, ":80"]) { RedirectStandardOutput = true };
        using var forward = Process.Start(start)!;
        try
        {
            var line = await forward.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
            var port = line!.Split("127.0.0.1:")[1].Split(' ')[0];
            using var http = new HttpClient();
            var answer = await http.GetAsync(new Uri($"http://127.0.0.1:{port}/forwarded"), TestContext.Current.CancellationToken);
            Assert.Equal(System.Net.HttpStatusCode.NotFound, answer.StatusCode);
        }
        finally
        {
            forward.Kill(entireProcessTree: true);
        }
    }

    [Fact]
    public Task Objects_are_changed_every_way_kubectl_has() => InNamespaceAsync(async () =>
    {
        await ApplyAsync("one");
        Assert.Contains("unchanged", await ApplyAsync("one"), StringComparison.Ordinal);
        Assert.Contains("configured", await ApplyAsync("two"), StringComparison.Ordinal);
        Assert.Contains("serverside-applied", await ApplyAsync("three", "--server-side", "--force-conflicts"), StringComparison.Ordinal);
        await K("label", "configmap/settings", "tier=front");
        await K("annotate", "configmap/settings", "note=seen");
        await K("patch", "configmap/settings", "--type=merge", "-p", """{"data":{"added":"merge"}}""");
        await K("patch", "configmap/settings", "--type=json", "-p", """[{"op":"add","path":"/data/more","value":"json"}]""");

        var settings = JsonDocument.Parse(await K("get", "configmap", "settings", "-o", "json")).RootElement;

        Assert.Equal(["json", "merge", "three"], settings.GetProperty("data").EnumerateObject().Select(p => p.Value.GetString()!).Order(StringComparer.Ordinal));
        Assert.Equal("front", settings.GetProperty("metadata").GetProperty("labels").GetProperty("tier").GetString());
        Assert.Contains("settings", await K("get", "configmaps", "-l", "tier=front", "-o", "name"), StringComparison.Ordinal);
        Assert.Contains("key:", await K("get", "configmap", "settings", "-o", "yaml"), StringComparison.Ordinal);
        await K("delete", "configmap", "settings");
        Assert.Contains("NotFound", (await TryKubectlAsync("-n", _namespace, "get", "configmap", "settings")).Error, StringComparison.Ordinal);
    });

    private async Task<string> ApplyAsync(string value, params string[] flags)
    {
        var manifest = $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings","namespace":"{{{_namespace}}}"},"data":{"key":"{{{value}}}"} }""";
        var result = await RunAsync(ProgramRun.Hardway, TimeSpan.FromSeconds(30), ["kubectl", "apply", .. flags, "-f", "-"], manifest);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }

    [Fact]
    public Task A_deployment_is_scaled_rolled_out_and_rolled_back() => InNamespaceAsync(async () =>
    {
        await WebAsync(1);
        await K("scale", "deployment/web", "--replicas=3");
        await K("rollout", "status", "deployment/web", "--timeout=60s");
        Assert.Equal("3", await K("get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}"));
        Assert.Contains("3 available", await K("describe", "deployment", "web"), StringComparison.Ordinal);

        await K("set", "image", "deployment/web", "nginx=nginx:latest");
        await K("rollout", "status", "deployment/web", "--timeout=90s");
        Assert.Equal("nginx:latest", await K("get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}"));

        await K("rollout", "undo", "deployment/web");
        await K("rollout", "status", "deployment/web", "--timeout=90s");
        Assert.Equal("nginx:1.22", await K("get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}"));
        await K("rollout", "restart", "deployment/web");
        await K("rollout", "status", "deployment/web", "--timeout=90s");
        await K("delete", "deployment", "web");
        await K("wait", "--for=delete", "pod", "-l", "app=web", "--timeout=90s");
    });

    [Fact]
    public Task An_editor_changes_an_object_and_a_watch_sees_it() => InNamespaceAsync(async () =>
    {
        await K("create", "configmap", "watched", "--from-literal=key=before");
        var start = new ProcessStartInfo(ProgramRun.Hardway, ["kubectl", "-n", _namespace, "get", "configmap", "watched", "-w", "-o", "jsonpath={.data.key}{\"\\n\"}"]) { RedirectStandardOutput = true };
        using var watch = Process.Start(start)!;
        try
        {
            async Task<string?> NextAsync() => await watch.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
            Assert.Equal("before", await NextAsync());

            var edit = await RunAsync(ProgramRun.Hardway, TimeSpan.FromSeconds(30), ["kubectl", "-n", _namespace, "edit", "configmap", "watched"], variable: ("KUBE_EDITOR", "sed -i s/before/after/"));

            Assert.True(edit.ExitCode == 0, edit.ToString());
            Assert.Equal("after", await NextAsync());
        }
        finally
        {
            watch.Kill(entireProcessTree: true);
        }
    });

    [Fact]
    public Task A_terminal_in_a_pod_is_a_terminal() => InNamespaceAsync(async () =>
    {
        await K("run", "shell", "--image=busybox:1.36", "--restart=Never", "--", "sleep", "3600");
        await K("wait", "--for=condition=Ready", "pod/shell", "--timeout=60s");

        // script(1) gives kubectl a terminal of its own, as a person's.
        var result = await RunAsync("script", TimeSpan.FromSeconds(30), ["-qec", $"{ProgramRun.Hardway} kubectl -n {_namespace} exec -it shell -- tty", "/dev/null"]);

        Assert.Contains("/dev/pts/", result.Output, StringComparison.Ordinal);
    });

    [Fact]
    public async Task The_api_tells_about_itself()
    {
        Assert.Contains("containerd://", await KubectlAsync("get", "nodes", "-o", "wide"), StringComparison.Ordinal);
        Assert.Contains("deployments", await KubectlAsync("api-resources"), StringComparison.Ordinal);
        Assert.Contains("FIELD: replicas", await KubectlAsync("explain", "deployment.spec.replicas"), StringComparison.Ordinal);
        Assert.Equal("yes", (await KubectlAsync("auth", "can-i", "create", "pods")).Trim());
        Assert.StartsWith("no", (await TryKubectlAsync("auth", "can-i", "create", "pods", "--as=nobody")).Output, StringComparison.Ordinal);
        Assert.Contains("Ready", await KubectlAsync("describe", "node", "node-0"), StringComparison.Ordinal);
        await KubectlAsync("events", "-A");
        await KubectlAsync("get", "events", "-A");
    }
}
