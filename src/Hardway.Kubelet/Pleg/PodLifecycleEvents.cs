using Hardway.Grpc;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Pods;
using Hardway.Kubelet.Runtime;
using Hardway.Kubelet.Stats;
using Microsoft.Extensions.Logging;

namespace Hardway.Kubelet.Pleg;

/// <summary>
/// PLEG: lists all sandboxes and containers every second and wakes the worker of a Pod where a state changed. A Pod in the runtime
/// that no source knows becomes an orphan once the sources are complete. Healthy while a listing was done in the last three minutes.
/// </summary>
internal sealed partial class PodLifecycleEvents(RuntimeClient client, PodWorkers workers, Func<bool> sourcesReady, KubeletMetrics metrics, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1), Threshold = TimeSpan.FromMinutes(3);

    private Dictionary<string, PodImage> _last = new(StringComparer.Ordinal);
    private long _lastRelist = time.GetTimestamp();

    /// <summary>What a Pod looked like: the states of all its parts, and its name.</summary>
    private sealed class PodImage(string ns, string name)
    {
        public string Namespace { get; } = ns;

        public string Name { get; } = name;

        public SortedDictionary<string, int> States { get; } = new(StringComparer.Ordinal);

        public bool SameAs(PodImage other) => States.SequenceEqual(other.States);
    }

    /// <summary>Null when healthy.</summary>
    public string? Health()
    {
        var since = time.GetElapsedTime(Interlocked.Read(ref _lastRelist));
        return since < Threshold ? null : $"pleg was last seen active {since} ago; threshold is {Threshold}";
    }

    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Period, time);
        do
        {
            try
            {
                var start = time.GetTimestamp();
                await RelistAsync(stop);
                metrics.PlegRelist.Observe(time.GetElapsedTime(start));
                Interlocked.Exchange(ref _lastRelist, time.GetTimestamp());
            }
            catch (GrpcException e)
            {
                LogFailed(log, e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stop));
    }

    internal async Task RelistAsync(CancellationToken stop)
    {
        var listing = client.ListPodSandboxesAsync(null, stop);
        var containers = await client.ListContainersAsync(null, stop);
        var now = new Dictionary<string, PodImage>(StringComparer.Ordinal);
        var sandboxes = await listing;
        metrics.RunningPods.Set(sandboxes.Count(s => s.State == PodSandboxState.SandboxReady));
        metrics.RunningContainers.Set(containers.Count(c => c.State == ContainerState.ContainerRunning), "running");
        metrics.RunningContainers.Set(containers.Count(c => c.State == ContainerState.ContainerExited), "exited");
        foreach (var sandbox in sandboxes)
            Image(now, sandbox.Labels)?.States.TryAdd(sandbox.Id, (int)sandbox.State);
        foreach (var container in containers)
            Image(now, container.Labels)?.States.TryAdd(container.Id, (int)container.State);
        foreach (var (uid, image) in now)
        {
            if (!workers.Knows(uid))
            {
                if (sourcesReady())
                    workers.AddOrphan(uid, image.Namespace, image.Name);
            }
            else if (!_last.TryGetValue(uid, out var before) || !before.SameAs(image))
                workers.Wake(uid);
        }
        foreach (var uid in _last.Keys.Where(u => !now.ContainsKey(u)))
            workers.Wake(uid);
        _last = now;
    }

    private static PodImage? Image(Dictionary<string, PodImage> images, Google.Protobuf.Collections.MapField<string, string> labels)
    {
        if (!labels.TryGetValue(RuntimeLabels.PodUid, out var uid) || !labels.TryGetValue(RuntimeLabels.PodName, out var name) || !labels.TryGetValue(RuntimeLabels.PodNamespace, out var ns))
            return null;
        return images.TryGetValue(uid, out var image) ? image : images[uid] = new PodImage(ns, name);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The runtime's containers could not be listed: {Reason}")]
    private static partial void LogFailed(ILogger log, string reason);
}
