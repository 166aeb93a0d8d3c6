using System.Net.WebSockets;
using System.Text;
using Hardway.Api.Core.V1;

namespace Hardway.Kubelet.Tests.Containerd;

/// <summary>Pods on a real containerd with real runc, from the file to the last trace of them.</summary>
public sealed class RealPodTests(ContainerdFixture containerd)
{
    private async Task<Pod> RunAsync(string name, string spec, Func<PodStatus, bool> reached, string what)
    {
        await containerd.StartAsync();
        await File.WriteAllTextAsync(
            Path.Combine(containerd.Manifests, name + ".yaml"),
            $"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: default}}\nspec:\n  hostNetwork: true\n  terminationGracePeriodSeconds: 1\n" + string.Concat(spec.Split('\n').Select(l => "  " + l + "\n")),
            TestContext.Current.CancellationToken);
        return await WaitAsync(name, reached, what);
    }

    private async Task<Pod> WaitAsync(string name, Func<PodStatus, bool> reached, string what)
    {
        Pod? pod = null;
        await ContainerdFixture.EventuallyAsync($"Pod {name} {what}", async () => (pod = await containerd.PodAsync(name)) != null && reached(pod.Status) ? null : $"is {pod?.Status.ToString() ?? "not known"}");
        return pod!;
    }

    private static bool Ready(PodStatus status) => status.Conditions?.Exists(c => c is { Type: "Ready", Status: "True" }) == true;

    private Task<string> LogsAsync(string name, string container, string query = "") => containerd.Http.GetStringAsync($"/containerLogs/default/{name}-testnode/{container}{query}", TestContext.Current.CancellationToken);

    [Fact]
    public async Task A_pod_runs_with_init_containers_environment_volumes_and_limits()
    {
        var pod = await RunAsync("full",
            """
            initContainers:
            - {name: init, image: "busybox:1.36", command: [sh, -c, "echo made > /data/x"], volumeMounts: [{name: data, mountPath: /data}]}
            containers:
            - name: main
              image: busybox:1.36
              command: [sh, -c, "echo $(WHO) $NODE; cat /data/x /info/labels /sub; ls /mem; exec sleep 1000"]
              env: [{name: WHO, value: world}, {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
              resources: {requests: {cpu: 50m, memory: 16Mi}, limits: {memory: 64Mi}}
              volumeMounts: [{name: data, mountPath: /data}, {name: mem, mountPath: /mem}, {name: info, mountPath: /info}, {name: data, mountPath: /sub, subPath: x}]
              readinessProbe: {exec: {command: ["true"]}, periodSeconds: 1}
            volumes:
            - {name: data, emptyDir: {}}
            - {name: mem, emptyDir: {medium: Memory, sizeLimit: 4Mi}}
            - {name: info, downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.name}}]}}
            """, Ready, "to be ready");
        Assert.Equal(("Running", "Burstable"), (pod.Status.Phase, pod.Status.QosClass));
        await ContainerdFixture.EventuallyAsync("its log", async () => await LogsAsync("full", "main") is "world testnode\nmade\nfull-testnodemade\n" ? null : await LogsAsync("full", "main"));
    }

    [Fact]
    public async Task A_pod_that_is_done_succeeds_and_one_that_fails_fails()
    {
        await RunAsync("done", "restartPolicy: Never\ncontainers:\n- {name: a, image: \"busybox:1.36\", command: [\"true\"]}", s => s.Phase == "Succeeded", "to succeed");
        var failed = await RunAsync("bad", "restartPolicy: Never\ncontainers:\n- {name: a, image: \"busybox:1.36\", command: [sh, -c, \"echo why > /dev/termination-log; exit 3\"]}", s => s.Phase == "Failed", "to fail");
        var ended = failed.Status.ContainerStatuses![0].State.Terminated!;
        Assert.Equal((3, "Error", "why\n"), (ended.ExitCode, ended.Reason, ended.Message));
    }

    [Fact]
    public async Task A_container_that_ends_is_started_again_at_once_and_then_backs_off()
    {
        var pod = await RunAsync("loop", "containers:\n- {name: a, image: \"busybox:1.36\", command: [sh, -c, \"echo run; exit 1\"]}",
            s => s.ContainerStatuses?[0] is { RestartCount: >= 1, State.Waiting.Reason: "CrashLoopBackOff" }, "to back off");
        Assert.Equal(1, pod.Status.ContainerStatuses![0].LastState.Terminated!.ExitCode);
        Assert.Equal("run\n", await LogsAsync("loop", "a", "?previous=true"));
    }

    [Fact]
    public async Task A_failed_liveness_probe_restarts_the_container() => await RunAsync("sick",
        "containers:\n- {name: a, image: \"busybox:1.36\", command: [sleep, \"1000\"], livenessProbe: {exec: {command: [\"false\"]}, periodSeconds: 1, failureThreshold: 1}}",
        s => s.ContainerStatuses?[0].RestartCount >= 1, "to be restarted");

    [Fact]
    public async Task What_cannot_be_started_says_why()
    {
        await RunAsync("noimage", "containers:\n- {name: a, image: \"nowhere.invalid/x:1\", imagePullPolicy: Never}", s => s.ContainerStatuses?[0].State.Waiting?.Reason == "ErrImageNeverPull", "to miss its image");
        await RunAsync("nouser", "securityContext: {runAsNonRoot: true}\ncontainers:\n- {name: a, image: \"busybox:1.36\", command: [sleep, \"9\"]}", s => s.ContainerStatuses?[0].State.Waiting?.Reason == "CreateContainerConfigError", "to be refused root");
    }

    [Fact]
    public async Task A_command_runs_in_a_container_through_the_server()
    {
        await RunAsync("exec", "containers:\n- {name: a, image: \"busybox:1.36\", command: [sleep, \"1000\"], securityContext: {runAsUser: 1234}}", Ready, "to be ready");
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("v4.channel.k8s.io");
        socket.Options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        await socket.ConnectAsync(new Uri($"wss://127.0.0.1:{containerd.Port}/exec/default/exec-testnode/a?command=id&command=-u&output=1&error=1"), TestContext.Current.CancellationToken);
        var (output, status) = await ReadChannelsAsync(socket);
        Assert.Equal("1234\n", output);
        Assert.Contains("\"status\":\"Success\"", status, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_kubelet_takes_over_without_a_restart_and_a_removed_pod_leaves_nothing()
    {
        var before = await RunAsync("stay", "containers:\n- {name: a, image: \"busybox:1.36\", command: [sleep, \"1000\"]}", Ready, "to be ready");
        await containerd.StopKubeletAsync();
        await containerd.StartKubeletAsync();
        var after = await WaitAsync("stay", Ready, "to be ready again");
        Assert.Equal(before.Status.ContainerStatuses![0].ContainerID, after.Status.ContainerStatuses![0].ContainerID);
        Assert.Equal(0, after.Status.ContainerStatuses[0].RestartCount);
        var directory = Path.Combine(containerd.Root, "pods", after.Metadata.Uid);
        Assert.True(Directory.Exists(directory));
        File.Delete(Path.Combine(containerd.Manifests, "stay.yaml"));
        await ContainerdFixture.EventuallyAsync("the Pod's end", async () => await containerd.PodAsync("stay") == null && !Directory.Exists(directory) ? null : "something is left");
    }

    private static async Task<(string Output, string Status)> ReadChannelsAsync(ClientWebSocket socket)
    {
        var output = new StringBuilder();
        var status = "";
        var buffer = new byte[8192];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(), TestContext.Current.CancellationToken);
            if (received.MessageType == WebSocketMessageType.Close)
                return (output.ToString(), status);
            if (received.Count < 2)
                continue;
            var text = Encoding.UTF8.GetString(buffer, 1, received.Count - 1);
            if (buffer[0] == 1)
                output.Append(text);
            if (buffer[0] == 3)
                status += text;
        }
    }
}
