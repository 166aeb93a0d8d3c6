using System.Collections.Concurrent;
using System.Text;
using Hardway.Grpc;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Logs;

namespace Hardway.Kubelet.Runtime;

/// <summary>
/// Reads what the runtime has of a Pod. The status of an exited container and the network of a sandbox never change, so they
/// are kept until the Pod is forgotten. Safe for many threads.
/// </summary>
internal sealed class RuntimeReader(RuntimeClient client)
{
    private const int MaxTerminationMessage = 4096, MaxLogMessage = 2048, MaxLogLines = 80;
    private readonly ConcurrentDictionary<string, RuntimeContainer> _exited = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, RuntimeSandbox> _ready = new(StringComparer.Ordinal);

    public async Task<RuntimePod> ReadAsync(string uid, CancellationToken stop)
    {
        var label = new KeyValuePair<string, string>(RuntimeLabels.PodUid, uid);
        var sandboxFilter = new PodSandboxFilter { LabelSelector = { { label.Key, label.Value } } };
        var containerFilter = new ContainerFilter { LabelSelector = { { label.Key, label.Value } } };
        var listing = client.ListPodSandboxesAsync(sandboxFilter, stop);
        var containers = await client.ListContainersAsync(containerFilter, stop);
        var sandboxes = await listing;
        var sandboxStates = await Task.WhenAll(sandboxes.Select(s => SandboxAsync(s, stop)));
        var containerStates = await Task.WhenAll(containers.Select(c => ContainerAsync(c, stop)));
        return new RuntimePod(
            uid,
            [.. sandboxStates.OfType<RuntimeSandbox>().OrderByDescending(s => s.CreatedAt)],
            [.. containerStates.OfType<RuntimeContainer>().OrderByDescending(c => c.CreatedAt)]);
    }

    public void Forget(RuntimePod pod)
    {
        foreach (var container in pod.Containers)
            _exited.TryRemove(container.Id, out _);
        foreach (var sandbox in pod.Sandboxes)
            _ready.TryRemove(sandbox.Id, out _);
    }

    private async Task<RuntimeSandbox?> SandboxAsync(PodSandbox sandbox, CancellationToken stop)
    {
        var ready = sandbox.State == PodSandboxState.SandboxReady;
        if (_ready.TryGetValue(sandbox.Id, out var known))
            return known with { IsReady = ready };
        try
        {
            var status = await client.PodSandboxStatusAsync(sandbox.Id, stop);
            List<string> ips = status.Network is { Ip.Length: > 0 } network ? [network.Ip, .. network.AdditionalIps.Select(i => i.Ip)] : [];
            var read = new RuntimeSandbox(
                sandbox.Id, sandbox.Metadata.Attempt, status.State == PodSandboxState.SandboxReady,
                status.Linux?.Namespaces?.Options?.Network == NamespaceMode.Node, RuntimeContainer.Time(sandbox.CreatedAt) ?? DateTimeOffset.UnixEpoch, ips);
            if (read.IsReady && (ips.Count > 0 || read.HostNetwork))
                _ready[sandbox.Id] = read;
            return read;
        }
        catch (GrpcException e) when (e.Status == StatusCode.NotFound)
        {
            return null;
        }
    }

    private async Task<RuntimeContainer?> ContainerAsync(Container container, CancellationToken stop)
    {
        if (_exited.TryGetValue(container.Id, out var known))
            return known;
        try
        {
            var status = await client.ContainerStatusAsync(container.Id, stop);
            var read = RuntimeContainer.From(container.PodSandboxId, status, status.State == ContainerState.ContainerExited ? TerminationMessage(status) : "");
            if (read.IsExited)
                _exited[container.Id] = read;
            return read;
        }
        catch (GrpcException e) when (e.Status == StatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>What the container left in its termination file, or the end of its log when it asked for that and failed.</summary>
    private static string TerminationMessage(ContainerStatus status)
    {
        if (!status.Annotations.TryGetValue(RuntimeLabels.TerminationMessagePath, out var path) || path.Length == 0)
            return "";
        var file = status.Mounts.FirstOrDefault(m => m.ContainerPath == path)?.HostPath;
        var text = file != null ? ReadHead(file, MaxTerminationMessage) : "";
        var fallBack = text.Length == 0 && status.ExitCode != 0
            && status.Annotations.TryGetValue(RuntimeLabels.TerminationMessagePolicy, out var policy) && policy == "FallbackToLogsOnError";
        return fallBack ? LogTail.Read(status.LogPath, MaxLogLines, MaxLogMessage) : text;
    }

    private static string ReadHead(string path, int most)
    {
        try
        {
            using var stream = File.OpenRead(path);
            var buffer = new byte[most];
            return Encoding.UTF8.GetString(buffer, 0, stream.ReadAtLeast(buffer, most, throwOnEndOfStream: false));
        }
        catch (IOException)
        {
            return "";
        }
    }
}
