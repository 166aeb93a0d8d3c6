using static Hardway.EndToEnd.ProgramRun;

namespace Hardway.EndToEnd;

/// <summary>What a node does for its Pods beyond starting them, with real containers.</summary>
public sealed class NodeTests
{
    private readonly string _namespace = "e2e-" + Guid.NewGuid().ToString("N")[..8];

    private Task<string> K(params string[] arguments) => KubectlAsync(["-n", _namespace, .. arguments]);

    private async Task InNamespaceAsync(string manifests, Func<Task> body)
    {
        await KubectlAsync("create", "namespace", _namespace);
        var applied = await RunAsync(ProgramRun.Hardway, TimeSpan.FromSeconds(30), ["kubectl", "-n", _namespace, "apply", "-f", "-"], manifests);
        Assert.True(applied.ExitCode == 0, applied.ToString());
        await body();
        await KubectlAsync("delete", "namespace", _namespace, "--wait=false");
    }

    private Task<string> EventuallyPodAsync(string what, string pod, string path, string expected, int seconds = 30) =>
        EventuallyAsync(what, TimeSpan.FromSeconds(seconds), () => TryKubectlAsync("-n", _namespace, "get", "pod", pod, "-o", $"jsonpath={path}"), seen => seen == expected);

    [Fact]
    public Task A_pod_is_resized_in_place() => InNamespaceAsync(
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: p}
        spec:
          terminationGracePeriodSeconds: 1
          containers: [{name: c, image: "busybox:1.36", command: [sleep, "3600"], resources: {requests: {cpu: 50m, memory: 32Mi}, limits: {cpu: 100m, memory: 64Mi}}}]
        """,
        async () =>
        {
            await K("wait", "--for=condition=Ready", "pod/p", "--timeout=60s");
            await K("patch", "pod", "p", "--subresource=resize", "-p", """{"spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":"200m","memory":"128Mi"}}}]}}""");
            await EventuallyPodAsync("the container has its new resources", "p", "{.status.containerStatuses[0].resources.limits.cpu} {.status.containerStatuses[0].resources.limits.memory} {.status.containerStatuses[0].restartCount}", "200m 128Mi 0");
            // cgroup v1 or v2, whichever the host has.
            Assert.Equal("134217728", (await K("exec", "p", "--", "sh", "-c", "cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes")).Trim());
        });

    [Fact]
    public Task A_configmap_in_a_volume_is_brought_up_to_date_at_once() => InNamespaceAsync(
        """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: settings}
        data: {key: before}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: p}
        spec:
          terminationGracePeriodSeconds: 1
          containers: [{name: c, image: "busybox:1.36", command: [sleep, "3600"], volumeMounts: [{name: v, mountPath: /v}]}]
          volumes: [{name: v, configMap: {name: settings}}]
        """,
        async () =>
        {
            await K("wait", "--for=condition=Ready", "pod/p", "--timeout=60s");
            await K("patch", "configmap", "settings", "-p", """{"data":{"key":"after"}}""");
            await EventuallyAsync("the file says what the ConfigMap does", TimeSpan.FromSeconds(10), () => TryKubectlAsync("-n", _namespace, "exec", "p", "--", "cat", "/v/key"), seen => seen == "after");
        });

    [Fact]
    public Task A_pod_that_fills_its_volume_beyond_the_limit_is_evicted() => InNamespaceAsync(
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: p}
        spec:
          restartPolicy: Never
          containers: [{name: c, image: "busybox:1.36", command: [sh, -c, "dd if=/dev/zero of=/v/x bs=1M count=8; sleep 3600"], volumeMounts: [{name: v, mountPath: /v}]}]
          volumes: [{name: v, emptyDir: {sizeLimit: 4Mi}}]
        """,
        () => EventuallyPodAsync("evicted", "p", "{.status.phase} {.status.reason} {.status.conditions[?(@.type=='DisruptionTarget')].reason}", "Failed Evicted TerminationByKubelet", 60));

    [Fact]
    public Task A_claim_is_bound_to_a_volume_of_the_node_and_keeps_what_was_written() => InNamespaceAsync(
        $$$"""
        apiVersion: v1
        kind: PersistentVolume
        metadata: {name: {{{_namespace}}}}
        spec:
          capacity: {storage: 10Mi}
          accessModes: [ReadWriteOnce]
          storageClassName: {{{_namespace}}}
          persistentVolumeReclaimPolicy: Retain
          hostPath: {path: /var/tmp/{{{_namespace}}}, type: DirectoryOrCreate}
          nodeAffinity:
            required:
              nodeSelectorTerms:
              - matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [node-1]}]
        ---
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata: {name: data}
        spec: {accessModes: [ReadWriteOnce], storageClassName: {{{_namespace}}}, resources: {requests: {storage: 10Mi} } }
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: writer}
        spec:
          restartPolicy: Never
          containers: [{name: c, image: "busybox:1.36", command: [sh, -c, "echo kept > /d/x"], volumeMounts: [{name: d, mountPath: /d}]}]
          volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: reader}
        spec:
          restartPolicy: OnFailure
          containers: [{name: c, image: "busybox:1.36", command: [cat, /d/x], volumeMounts: [{name: d, mountPath: /d, readOnly: true}]}]
          volumes: [{name: d, persistentVolumeClaim: {claimName: data, readOnly: true}}]
        """,
        async () =>
        {
            await EventuallyPodAsync("written", "writer", "{.status.phase}", "Succeeded", 60);
            await EventuallyPodAsync("read", "reader", "{.status.phase} {.spec.nodeName}", "Succeeded node-1", 90);
            Assert.Equal("kept", (await K("logs", "reader")).Trim());
            await KubectlAsync("delete", "pv", _namespace, "--wait=false");
        });
}
