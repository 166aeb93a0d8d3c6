using Hardway.Api.Core.V1;
using Hardway.Grpc;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Events;
using Hardway.Kubelet.Qos;
using Hardway.Kubelet.Runtime;

namespace Hardway.Kubelet.Lifecycle;

/// <summary>
/// Stops containers: the preStop hook runs within the grace period, then the stop signal, then, when the rest of the period (at
/// least two seconds after a hook) is over, SIGKILL. Stopping what is stopped already is no error.
/// </summary>
internal sealed class ContainerKiller(RuntimeClient client, HookRunner hooks, PodEvents events, TimeProvider time)
{
    private const long LeastAfterHook = 2;

    public async Task KillAsync(Pod pod, RuntimeContainer target, IReadOnlyList<string> podIps, long graceSeconds, string? why, CancellationToken stop)
    {
        var container = PodQos.AllContainers(pod).FirstOrDefault(c => c.Name == target.Name);
        events.Normal(pod, container, "Killing", why ?? $"Stopping container {target.Name}");
        var left = graceSeconds;
        if (container?.Lifecycle?.PreStop is { } hook && graceSeconds > 0 && target.IsRunning)
            left = Math.Max(LeastAfterHook, graceSeconds - await RunHookAsync(pod, container, target.Id, hook, podIps, graceSeconds, stop));
        try
        {
            await client.StopContainerAsync(target.Id, left, stop);
        }
        catch (GrpcException e) when (e.Status == StatusCode.NotFound)
        {
            // Gone already.
        }
    }

    private async Task<long> RunHookAsync(Pod pod, Api.Core.V1.Container container, string id, LifecycleHandler hook, IReadOnlyList<string> podIps, long graceSeconds, CancellationToken stop)
    {
        var start = time.GetTimestamp();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(graceSeconds), time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
        try
        {
            if (await hooks.RunAsync(pod, container, id, hook, podIps, both.Token) is { } failure)
                events.Warning(pod, container, "FailedPreStopHook", $"PreStopHook failed: {failure}");
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            events.Warning(pod, container, "FailedPreStopHook", "PreStopHook did not complete within the grace period");
        }
        return (long)time.GetElapsedTime(start).TotalSeconds;
    }
}
