using Hardway.Api;
using Hardway.Client;
using Microsoft.Extensions.Logging;

namespace Hardway.Kubelet.Sources;

/// <summary>
/// Keeps single objects (ConfigMaps, Secrets) up to date for as long as a Pod of this node names them: one watch an object, shared by its
/// Pods. A node may only see what its Pods name, so each is watched by its name. Tells the Pods when their object changes. Safe for many
/// threads; owns its watches and awaits them.
/// </summary>
internal sealed class ObjectWatches<T>(KubeClient client, ILoggerFactory logs, Action<string> changed) : IDisposable where T : KubeObject, IApiType<T>, new()
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Watched> _watched = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _keysOf = new(StringComparer.Ordinal);
    private readonly List<Task> _running = [];
    private readonly CancellationTokenSource _end = new();

    private sealed record Watched(Informer<T> Informer, CancellationTokenSource Stop, HashSet<string> Pods);

    /// <summary>The Pod names exactly these objects of its namespace from now on.</summary>
    public void Follow(string uid, string ns, IEnumerable<string> names)
    {
        lock (_gate)
        {
            var keys = names.Select(n => $"{ns}/{n}").ToHashSet(StringComparer.Ordinal);
            var before = _keysOf.GetValueOrDefault(uid) ?? [];
            if (keys.SetEquals(before) || _end.IsCancellationRequested)
                return;
            _keysOf[uid] = keys;
            foreach (var key in keys.Except(before).ToList())
                Add(key, ns, key[(ns.Length + 1)..], uid);
            foreach (var key in before.Except(keys).ToList())
                Leave(key, uid);
        }
    }

    public void Forget(string uid)
    {
        lock (_gate)
        {
            if (!_keysOf.Remove(uid, out var keys))
                return;
            foreach (var key in keys)
                Leave(key, uid);
        }
    }

    /// <summary>The object as last seen; what is not watched, or not there as far as the watch knows, is asked for.</summary>
    public async Task<T?> GetAsync(string ns, string name, CancellationToken stop)
    {
        Informer<T>? informer;
        lock (_gate)
            informer = _watched.GetValueOrDefault($"{ns}/{name}")?.Informer;
        return informer is { HasSynced: true } && informer.Store.Get(ns, name) is { } found ? found : await client.TryGetAsync<T>(ns, name, stop);
    }

    public void Dispose() => _end.Dispose();

    public async Task RunAsync(CancellationToken stop)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, client.Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _end.CancelAsync();
        Task[] running;
        lock (_gate)
            running = [.. _running];
        await Task.WhenAll(running);
    }

    private void Add(string key, string ns, string name, string uid)
    {
        if (!_watched.TryGetValue(key, out var watched))
        {
            watched = new Watched(new Informer<T>(client, logs, new InformerOptions { Namespace = ns, FieldSelector = "metadata.name=" + name }), CancellationTokenSource.CreateLinkedTokenSource(_end.Token), []);
            watched.Informer.AddHandler(_ => Tell(key));
            _watched[key] = watched;
            _running.RemoveAll(t => t.IsCompleted);
            _running.Add(Task.Run(() => watched.Informer.RunAsync(watched.Stop.Token), CancellationToken.None));
        }
        watched.Pods.Add(uid);
    }

    private void Leave(string key, string uid)
    {
        if (!_watched.TryGetValue(key, out var watched) || !watched.Pods.Remove(uid) || watched.Pods.Count > 0)
            return;
        _watched.Remove(key);
        watched.Stop.Cancel();
        watched.Stop.Dispose();
    }

    private void Tell(string key)
    {
        string[] pods;
        lock (_gate)
            pods = _watched.TryGetValue(key, out var watched) ? [.. watched.Pods] : [];
        foreach (var uid in pods)
            changed(uid);
    }
}
