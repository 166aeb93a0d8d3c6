using System.Collections.Concurrent;
using Hardway.Api.Core.V1;
using Hardway.Grpc;
using Hardway.Kubelet.Backoff;
using Hardway.Kubelet.Containers;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Events;
using Hardway.Kubelet.Pods;
using Container = Hardway.Api.Core.V1.Container;

namespace Hardway.Kubelet.Images;

/// <summary>
/// Makes an image present by its container's policy: Always asks the registry, IfNotPresent only when it is not here, Never never.
/// Failures back off from 10 s to 5 min a Pod and image. Pulls are bounded by the configuration. Safe for many threads.
/// </summary>
internal sealed class ImagePuller(RuntimeClient client, PullSecrets secrets, PodEvents events, TimeProvider time, int parallel) : IDisposable
{
    private readonly BackoffTable _backoff = new(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(5), time);
    private readonly ConcurrentDictionary<string, DateTimeOffset> _failedAt = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _slots = new(parallel);

    public void Dispose() => _slots.Dispose();

    /// <exception cref="ContainerConfigException">The image cannot be had now; the reason is upstream's word for it.</exception>
    public async Task<Image> EnsureAsync(Pod pod, Container container, PodSandboxConfig sandbox, CancellationToken stop)
    {
        var name = ImageName.Normalize(container.Image) ?? throw new ContainerConfigException("InvalidImageName", $"Failed to apply default image tag \"{container.Image}\": couldn't parse image name");
        var present = await client.ImageStatusAsync(name, stop);
        var policy = container.ImagePullPolicy.Length > 0 ? container.ImagePullPolicy : ImageName.IsLatest(name) ? "Always" : "IfNotPresent";
        if (present != null && policy != "Always")
        {
            events.Normal(pod, container, "Pulled", $"Container image \"{container.Image}\" already present on machine");
            return present;
        }
        if (policy == "Never")
            throw new ContainerConfigException("ErrImageNeverPull", $"Container image \"{container.Image}\" is not present with pull policy of Never");
        var key = $"{pod.Metadata.Uid}/{name}";
        if (_failedAt.TryGetValue(key, out var at) && _backoff.Remaining(key, at) > TimeSpan.Zero)
        {
            events.Normal(pod, container, "BackOff", $"Back-off pulling image \"{container.Image}\"");
            throw new ContainerConfigException("ImagePullBackOff", $"Back-off pulling image \"{container.Image}\"");
        }
        return await PullAsync(pod, container, name, key, sandbox, stop);
    }

    /// <summary>When a Pod that waits for an image should look again; null when it does not wait.</summary>
    public TimeSpan? NextAttempt(string uid)
    {
        TimeSpan? next = null;
        foreach (var (key, at) in _failedAt)
        {
            if (key.StartsWith(uid + "/", StringComparison.Ordinal) && _backoff.Remaining(key, at) is var left && (next == null || left < next))
                next = left;
        }
        return next;
    }

    public void Forget(string uid)
    {
        _backoff.ForgetWithPrefix(uid + "/");
        foreach (var key in _failedAt.Keys)
        {
            if (key.StartsWith(uid + "/", StringComparison.Ordinal))
                _failedAt.TryRemove(key, out _);
        }
    }

    private async Task<Image> PullAsync(Pod pod, Container container, string name, string key, PodSandboxConfig sandbox, CancellationToken stop)
    {
        await _slots.WaitAsync(stop);
        try
        {
            events.Normal(pod, container, "Pulling", $"Pulling image \"{container.Image}\"");
            var start = time.GetTimestamp();
            var reference = await client.PullImageAsync(name, await secrets.ForAsync(pod, name, stop), sandbox, stop);
            events.Normal(pod, container, "Pulled", $"Successfully pulled image \"{container.Image}\" in {time.GetElapsedTime(start).TotalSeconds:0.###}s");
            _failedAt.TryRemove(key, out _);
            return await client.ImageStatusAsync(reference, stop) ?? new Image { Id = reference };
        }
        catch (GrpcException e)
        {
            _backoff.Next(key, time.GetUtcNow());
            _failedAt[key] = time.GetUtcNow();
            events.Warning(pod, container, "Failed", $"Failed to pull image \"{container.Image}\": {e.Detail}");
            throw new ContainerConfigException("ErrImagePull", e.Detail);
        }
        finally
        {
            _slots.Release();
        }
    }
}
