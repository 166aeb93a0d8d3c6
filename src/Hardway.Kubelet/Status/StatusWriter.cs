using System.Collections.Concurrent;
using Hardway.Api.Core.V1;
using Hardway.Client;
using Microsoft.Extensions.Logging;

namespace Hardway.Kubelet.Status;

/// <summary>
/// Brings Pod statuses to the API server: the newest of each Pod, one request a Pod at a time, several Pods at once; tried again
/// until it went through or the Pod is gone. Workers never wait for the API, except before a Pod is deleted.
/// Also the last word on what a Pod's status is, for the kubelet's own /pods.
/// </summary>
internal sealed partial class StatusWriter(KubeClient? client, WorkQueue queue, Func<Pod, Pod?> apiPod, ILogger log)
{
    private const int Senders = 4;
    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

#pragma warning disable CA1001 // The semaphore has no wait handle: there is nothing to dispose of.
    private sealed class Entry(Pod pod, PodStatus wanted)
#pragma warning restore CA1001
    {
        public readonly SemaphoreSlim One = new(1);
        public volatile Pod Pod = pod;
        public volatile PodStatus Wanted = wanted;
        public Pod? Answer;
    }

    public PodStatus? Get(string uid) => _entries.TryGetValue(uid, out var entry) ? entry.Wanted : null;

    public void Set(Pod pod, PodStatus status)
    {
        var entry = _entries.GetOrAdd(pod.Metadata.Uid, _ => new Entry(pod, status));
        entry.Pod = pod;
        entry.Wanted = status;
        queue.Add(pod.Metadata.Uid);
    }

    /// <summary>The API's Pod has changed: is what it says still what we want?</summary>
    public void Recheck(string uid)
    {
        if (_entries.ContainsKey(uid))
            queue.Add(uid);
    }

    public void Forget(string uid) => _entries.TryRemove(uid, out _);

    public async Task RunAsync(CancellationToken stop) => await Task.WhenAll(Enumerable.Range(0, Senders).Select(_ => SendLoopAsync(stop)));

    /// <summary>Ends when the API has the Pod's newest status, or no such Pod.</summary>
    public async Task FlushAsync(string uid, CancellationToken stop)
    {
        if (_entries.TryGetValue(uid, out var entry))
            await SendAsync(entry, stop);
    }

    private async Task SendLoopAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var uid = await queue.GetAsync(stop);
            try
            {
                await FlushAsync(uid, stop);
                queue.Forget(uid);
            }
            catch (Exception e) when (e is ApiException or HttpRequestException or IOException)
            {
                LogFailed(log, uid, e.Message);
                queue.AddRateLimited(uid);
            }
            finally
            {
                queue.Done(uid);
            }
        }
    }

    private async Task SendAsync(Entry entry, CancellationToken stop)
    {
        if (client == null)
            return;
        await entry.One.WaitAsync(stop);
        try
        {
            var pod = entry.Pod;
            if (Newest(entry, apiPod(pod)) is not { } known || StatusPatch.Create(known.Metadata.Uid, known.Status, entry.Wanted) is not { } patch)
                return;
            entry.Answer = await client.PatchAsync<Pod>(pod.Metadata.Namespace, pod.Metadata.Name, PatchType.StrategicMerge, patch, stop, "status");
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict)
        {
            // Gone, or another Pod of that name: there is nobody to tell.
        }
        finally
        {
            entry.One.Release();
        }
    }

    /// <summary>The informer's copy may be older than the answer to our last patch.</summary>
    private static Pod? Newest(Entry entry, Pod? informed)
    {
        if (entry.Answer is not { } answer || (informed != null && informed.Metadata.Uid != answer.Metadata.Uid))
            return informed;
        return informed == null || !long.TryParse(answer.Metadata.ResourceVersion, out var a) || !long.TryParse(informed.Metadata.ResourceVersion, out var b) || a > b ? answer : informed;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Status of Pod {Uid} could not be written, will be tried again: {Reason}")]
    private static partial void LogFailed(ILogger log, string uid, string reason);
}
