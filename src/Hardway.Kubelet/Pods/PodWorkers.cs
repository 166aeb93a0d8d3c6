using System.Collections.Concurrent;
using System.Threading.Channels;
using Hardway.Api.Core.V1;

namespace Hardway.Kubelet.Pods;

/// <summary>All workers by Pod UID. Sources tell it of Pods, the PLEG wakes them; it owns their tasks and awaits them.</summary>
internal sealed class PodWorkers(PodServices services)
{
    private readonly ConcurrentDictionary<string, PodWorker> _workers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Pod> _again = new(StringComparer.Ordinal);
    private readonly Channel<PodWorker> _new = Channel.CreateBounded<PodWorker>(1024);
    private readonly Lock _gate = new();

    public IEnumerable<Pod> Pods => _workers.Values.Select(w => w.Pod);

    public Pod? Find(string ns, string name) => Pods.Where(p => p.Metadata.Namespace == ns && p.Metadata.Name == name).OrderBy(p => p.IsTerminating()).FirstOrDefault();

    /// <summary>The Pods that use this node and have not been told to go.</summary>
    public IEnumerable<Pod> Running => _workers.Values.Where(w => w.IsActive).Select(w => w.Pod);

    public Task Evict(string uid, PodEviction eviction) => _workers.TryGetValue(uid, out var worker) ? worker.Evict(eviction) : Task.CompletedTask;

    public bool Knows(string uid) => _workers.ContainsKey(uid);

    public void Update(Pod pod)
    {
        lock (_gate)
        {
            if (_workers.TryGetValue(pod.Metadata.Uid, out var worker))
            {
                // A static Pod's file that comes back is the same Pod: it starts anew when the first one has left.
                if (worker.IsLeaving)
                    _again[pod.Metadata.Uid] = pod;
                else
                    worker.Update(pod);
            }
            else
                Add(pod, false);
        }
    }

    public void Remove(string uid)
    {
        lock (_gate)
            _again.Remove(uid);
        if (_workers.TryGetValue(uid, out var worker))
            worker.Remove();
    }

    public void Wake(string uid)
    {
        if (_workers.TryGetValue(uid, out var worker))
            worker.Wake();
    }

    /// <summary>A ConfigMap or Secret that the Pod names has changed.</summary>
    public void DataChanged(string uid)
    {
        if (_workers.TryGetValue(uid, out var worker))
            worker.DataChanged();
    }

    /// <summary>Something of a Pod is left on this node that no source knows: it is taken away.</summary>
    public void AddOrphan(string uid, string ns, string name)
    {
        lock (_gate)
        {
            if (_workers.ContainsKey(uid))
                return;
            var pod = new Pod();
            (pod.Metadata.Uid, pod.Metadata.Namespace, pod.Metadata.Name) = (uid, ns, name);
            Add(pod, true);
        }
    }

    public async Task RunAsync(CancellationToken stop)
    {
        var running = new ConcurrentDictionary<PodWorker, Task>();
        try
        {
            await foreach (var worker in _new.Reader.ReadAllAsync(stop))
            {
                running[worker] = RunOneAsync(worker, stop);
                foreach (var (done, task) in running.Where(r => r.Value.IsCompleted).ToList())
                {
                    running.TryRemove(done, out _);
                    await task;
                }
            }
        }
        finally
        {
            await Task.WhenAll(running.Values);
        }
    }

    private void Add(Pod pod, bool orphan)
    {
        var worker = new PodWorker(pod, services, orphan);
        _workers[pod.Metadata.Uid] = worker;
        if (!_new.Writer.TryWrite(worker))
            throw new InvalidOperationException("more than 1024 Pods arrived at once");
    }

    private async Task RunOneAsync(PodWorker worker, CancellationToken stop)
    {
        await Task.Yield();
        try
        {
            await worker.RunAsync(stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The kubelet ends; the containers go on.
        }
        lock (_gate)
        {
            _workers.TryRemove(worker.Pod.Metadata.Uid, out _);
            if (_again.Remove(worker.Pod.Metadata.Uid, out var next) && !stop.IsCancellationRequested)
                Add(next, false);
        }
        worker.Dispose();
    }
}
