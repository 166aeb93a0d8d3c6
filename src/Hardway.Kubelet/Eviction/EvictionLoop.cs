using Hardway.Api.Core.V1;
using Hardway.Grpc;
using Hardway.Kubelet.Configuration;
using Hardway.Kubelet.Housekeeping;
using Hardway.Kubelet.Pods;
using Hardway.Kubelet.Qos;
using Microsoft.Extensions.Logging;

namespace Hardway.Kubelet.Eviction;

/// <summary>
/// Keeps the node from running dry, every two seconds: 1. limits of local storage are kept, 2. the signals are read, 3. for the first
/// threshold that asks for it (memory first), what the node itself can do without is removed (disk: ended containers, unused images), 4. if
/// that was not enough, the first Pod in rank is evicted and awaited. One Pod at a time, so that each eviction can show its effect.
/// </summary>
internal sealed partial class EvictionLoop(
    PressureState pressure, NodeReadings readings, ConsumptionReader consumption, PodWorkers workers, ImageCollection images, ContainerCollection containers,
    KubeletConfig config, Action conditionsChanged, TimeProvider time, ILogger log)
{
    private const long ImmediateGrace = 1;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2), StoragePeriod = TimeSpan.FromSeconds(10), MostWait = TimeSpan.FromSeconds(30);

    private DateTimeOffset _storageAt;

    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Period, time);
        do
        {
            try
            {
                await TurnAsync(stop);
            }
            catch (Exception e) when (e is GrpcException or IOException or UnauthorizedAccessException)
            {
                LogFailed(log, e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stop));
    }

    internal async Task TurnAsync(CancellationToken stop)
    {
        // 1.
        if (config.LocalStorageCapacityIsolation && time.GetUtcNow() - _storageAt >= StoragePeriod)
        {
            _storageAt = time.GetUtcNow();
            await KeepStorageLimitsAsync(stop);
        }
        // 2.
        var crossed = await ObserveAsync(stop);
        if (crossed.Count == 0)
            return;
        // 3.
        var first = crossed.OrderBy(c => c.Threshold.Signal.Resource() == "memory" ? 0 : 1).ThenBy(c => c.Threshold.Signal).First();
        LogCrossed(log, first.Threshold.Signal, first.Reading.Available.ToString(), first.Threshold.Value.Of(first.Reading.Capacity).ToString());
        if (await ReclaimAsync(first.Threshold.Signal, stop) && (await ObserveAsync(stop)).All(c => c.Threshold != first.Threshold))
            return;
        // 4.
        await EvictOneAsync(first, stop);
    }

    private async Task<IReadOnlyList<CrossedThreshold>> ObserveAsync(CancellationToken stop)
    {
        var before = pressure.Conditions;
        var crossed = pressure.Observe(await readings.ReadAsync(stop));
        if (!before.SetEquals(pressure.Conditions))
            conditionsChanged();
        return crossed;
    }

    private async Task KeepStorageLimitsAsync(CancellationToken stop)
    {
        foreach (var use in await consumption.ReadAsync(Active().Where(p => StorageLimits.HasAny(p) && !EvictionRanking.IsCritical(p)), stop))
        {
            if (StorageLimits.Exceeded(use) is { } message)
                await EvictAsync(use.Pod, message, ImmediateGrace, stop);
        }
    }

    /// <summary>True when something may have become free.</summary>
    private async Task<bool> ReclaimAsync(EvictionSignal signal, CancellationToken stop)
    {
        var disk = signal.Condition() == EvictionSignals.DiskPressure;
        if (!disk || (readings.SeparateImageStore && signal is EvictionSignal.NodefsAvailable or EvictionSignal.NodefsInodesFree))
            return false;
        await containers.CollectAllAsync(stop);
        await images.CollectAllAsync(stop);
        return true;
    }

    private async Task EvictOneAsync(CrossedThreshold crossed, CancellationToken stop)
    {
        var (threshold, reading) = crossed;
        var ranked = EvictionRanking.Rank(threshold.Signal, readings.SeparateImageStore, await consumption.ReadAsync(Active(), stop));
        if (ranked.FirstOrDefault(u => !EvictionRanking.IsCritical(u.Pod)) is not { } victim)
        {
            LogNobody(log, threshold.Signal);
            return;
        }
        var resource = threshold.Signal.Resource();
        var message = $"The node was low on resource: {resource}. Threshold quantity: {threshold.Value.Of(reading.Capacity)}, available: {reading.Available}. " + Detail(victim, resource);
        var grace = threshold.IsHard ? ImmediateGrace : Math.Min(config.EvictionMaxPodGracePeriod, victim.Pod.Spec.TerminationGracePeriodSeconds ?? 30);
        await EvictAsync(victim.Pod, message.TrimEnd(), grace, stop);
    }

    private static string Detail(PodConsumption victim, string resource) => string.Concat(victim.Containers.Select(c =>
    {
        var used = resource switch { "memory" => c.Memory, "ephemeral-storage" => c.LayerBytes + c.LogBytes, _ => 0 };
        var spec = PodQos.AllContainers(victim.Pod).FirstOrDefault(s => s.Name == c.Name);
        var request = spec?.Resources.Requests?.GetValueOrDefault(resource) ?? default;
        return used > request.Value ? $"Container {c.Name} was using {Api.Quantity.FromBytes(used)}, request is {request}, has larger consumption of {resource}. " : "";
    }));

    private async Task EvictAsync(Pod pod, string message, long grace, CancellationToken stop)
    {
        LogEvicting(log, pod.Metadata.Namespace, pod.Metadata.Name, message);
        var ended = workers.Evict(pod.Metadata.Uid, new PodEviction("Evicted", message, grace, true));
        await Task.WhenAny(ended, Task.Delay(MostWait, time, stop));
        stop.ThrowIfCancellationRequested();
    }

    private IEnumerable<Pod> Active() => workers.Running;

    [LoggerMessage(Level = LogLevel.Warning, Message = "The signal {Signal} is below its threshold: {Available} of {Threshold}")]
    private static partial void LogCrossed(ILogger log, EvictionSignal signal, string available, string threshold);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Pod {Namespace}/{Name} is evicted: {Reason}")]
    private static partial void LogEvicting(ILogger log, string @namespace, string name, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The signal {Signal} asks for an eviction, and no Pod may be evicted")]
    private static partial void LogNobody(ILogger log, EvictionSignal signal);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The node's pressure could not be read: {Reason}")]
    private static partial void LogFailed(ILogger log, string reason);
}
