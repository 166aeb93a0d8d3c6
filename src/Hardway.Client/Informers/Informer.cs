using Hardway.Api;
using Hardway.Api.Meta.V1;
using Microsoft.Extensions.Logging;

namespace Hardway.Client;

/// <summary>
/// A local copy of a resource, kept by LIST and WATCH, or by one WATCH that begins with what is there (KEP-3157) where the server does that:
/// <code>
///            410 Gone, bad data                       ended by the server, connection lost
///   list ◄───────────────────── watch (bookmarks) ◄──────────────────────┐
///     └──────────────────────────► └─────────────────────────────────────┘ from the last version seen
/// </code>
/// Every failure is tried again with jittered, doubling waits. Handlers run on the informer's own thread of control, one event after the other,
/// after the store was changed; they must be quick (put a key into a queue). managedFields are dropped to save memory. Deletions that
/// happened between two lists are found by comparing.
/// </summary>
public sealed partial class Informer<T> : IInformer where T : KubeObject, IApiType<T>, new()
{
    private const string InitialEventsEnd = "k8s.io/initial-events-end";
    private readonly KubeClient _client;
    private readonly InformerOptions _options;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly List<Handler> _handlers = [];
    private string _version = "";
    private bool _streams = true;

    private sealed record Handler(Action<T>? Added, Action<T, T>? Updated, Action<T>? Deleted);

    public Informer(KubeClient client, ILoggerFactory logs, InformerOptions? options = null, ApiResource? resource = null)
    {
        _client = client;
        _options = options ?? new InformerOptions();
        _time = client.Time;
        Resource = resource ?? ApiResource.Of<T>();
        _log = logs.CreateLogger("Informer");
    }

    public ApiResource Resource { get; }

    public Store<T> Store { get; } = new();

    public bool HasSynced => _synced.Task.IsCompletedSuccessfully;

    public Task WaitForSyncAsync(CancellationToken cancellationToken) => _synced.Task.WaitAsync(cancellationToken);

    /// <summary>Adds handlers. Who comes late gets the objects that are there as added.</summary>
    public void AddHandler(Action<T>? added = null, Action<T, T>? updated = null, Action<T>? deleted = null)
    {
        lock (_gate)
        {
            _handlers.Add(new Handler(added, updated, deleted));
            if (added is null) return;
            foreach (var obj in Store.List()) added(obj);
        }
    }

    /// <summary>One handler for every kind of change; deletions give the last state seen.</summary>
    public void AddHandler(Action<T> changed) => AddHandler(changed, (_, now) => changed(now), changed);

    public void AddMetadataHandler(Action<ObjectMeta> seen, Action<ObjectMeta> gone) => AddHandler(o => seen(o.Metadata), (_, o) => seen(o.Metadata), o => gone(o.Metadata));

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var backoff = new Backoff(_options.MinBackoff, _options.MaxBackoff);
        await using var resync = _options.Resync > TimeSpan.Zero ? _time.CreateTimer(_ => Resync(), null, _options.Resync, _options.Resync) : null;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                if (_version.Length == 0 && !_streams)
                {
                    await ListAsync(cancellationToken);
                    backoff.Reset();
                }
                if (await WatchAsync(backoff, cancellationToken)) continue;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (ApiException e) when (_streams && _version.Length == 0 && e.Code is 400 or 422)
            {
                // A server that has no streaming lists says so; it is not asked again.
                _streams = false;
                continue;
            }
            catch (ApiException e) when (e.IsGone)
            {
                LogGone(_log, Resource.Plural, _version);
                _version = "";
            }
            catch (Exception e)
            {
                if (e is ApiDecodeException or InvalidDataException or System.Text.Json.JsonException) _version = "";
                LogFailed(_log, Resource.Plural, Reason(e));
            }
            await Task.Delay(backoff.Next(), _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ListAsync(CancellationToken ct)
    {
        var page = await _client.ListAsync<T>(Resource, _options.Namespace, new ListOptions { LabelSelector = _options.LabelSelector, FieldSelector = _options.FieldSelector }, ct);
        lock (_gate)
        {
            foreach (var obj in page.Items) Put(obj);
        }
        Complete(page.Items.Select(KubeKey.Of).ToHashSet(StringComparer.Ordinal), page.ResourceVersion);
    }

    /// <summary>Everything there is was seen: what was not is gone.</summary>
    private void Complete(HashSet<string> seen, string version)
    {
        lock (_gate)
        {
            foreach (var key in Store.Keys())
            {
                if (!seen.Contains(key)) Remove(key, null);
            }
        }
        _version = version;
        LogListed(_log, Resource.Plural, seen.Count, version);
        _synced.TrySetResult();
    }

    /// <summary>True: the server ended the watch in good order after it had lasted a while.</summary>
    private async Task<bool> WatchAsync(Backoff backoff, CancellationToken ct)
    {
        var started = _time.GetTimestamp();
        var seconds = (long)(_options.WatchTimeout.TotalSeconds * (1 + Random.Shared.NextDouble()));
        var query = new ListOptions { LabelSelector = _options.LabelSelector, FieldSelector = _options.FieldSelector, ResourceVersion = _version, AllowWatchBookmarks = true, TimeoutSeconds = seconds };
        var initial = _version.Length == 0 ? new HashSet<string>(StringComparer.Ordinal) : null;
        if (initial is not null) (query.SendInitialEvents, query.ResourceVersionMatch) = (true, "NotOlderThan");
        await foreach (var (type, obj) in _client.WatchAsync<T>(Resource, _options.Namespace, query, ct))
        {
            backoff.Reset();
            if (type == WatchEventType.Bookmark)
            {
                if (initial is not null && obj.Metadata.Annotations?.GetValueOrDefault(InitialEventsEnd) == "true")
                {
                    Complete(initial, obj.Metadata.ResourceVersion);
                    initial = null;
                }
            }
            else Observe(type, obj, initial);
            if (initial is null) _version = obj.Metadata.ResourceVersion;
        }
        return _time.GetElapsedTime(started) > TimeSpan.FromSeconds(1);
    }

    private void Observe(WatchEventType type, T obj, HashSet<string>? initial)
    {
        var key = KubeKey.Of(obj);
        lock (_gate)
        {
            if (type == WatchEventType.Deleted) Remove(key, obj);
            else Put(obj);
        }
        if (type == WatchEventType.Deleted) initial?.Remove(key);
        else initial?.Add(key);
    }

    private void Put(T obj)
    {
        Trim(obj);
        var key = KubeKey.Of(obj);
        var old = Store.Put(key, obj);
        if (old is not null && old.Metadata.ResourceVersion == obj.Metadata.ResourceVersion) return;
        // Deleted and made again between two lists: two objects, two events.
        var replaced = old is not null && old.Metadata.Uid != obj.Metadata.Uid;
        foreach (var handler in _handlers)
        {
            if (replaced) Call(handler.Deleted, old!);
            if (old is null || replaced) Call(handler.Added, obj);
            else Call(handler.Updated, old, obj);
        }
    }

    private void Remove(string key, T? last)
    {
        if (Store.Remove(key) is not { } old) return;
        if (last is not null) Trim(last);
        foreach (var handler in _handlers) Call(handler.Deleted, last ?? old);
    }

    private void Trim(T obj)
    {
        obj.Metadata.ManagedFields = null;
        _options.Trim?.Invoke(obj);
    }

    private void Resync()
    {
        lock (_gate)
        {
            foreach (var obj in Store.List())
            {
                foreach (var handler in _handlers) Call(handler.Updated, obj, obj);
            }
        }
    }

    private void Call(Action<T>? handler, T obj)
    {
        try { handler?.Invoke(obj); }
        catch (Exception e) { LogHandler(_log, e, Resource.Plural, KubeKey.Of(obj)); }
    }

    private void Call(Action<T, T>? handler, T old, T obj)
    {
        try { handler?.Invoke(old, obj); }
        catch (Exception e) { LogHandler(_log, e, Resource.Plural, KubeKey.Of(obj)); }
    }

    private static string Reason(Exception e) => e.InnerException is { } inner ? $"{e.Message} ({inner.Message})" : e.Message;

    [LoggerMessage(Level = LogLevel.Debug, Message = "listed {Count} {Resource} at {ResourceVersion}")]
    private static partial void LogListed(ILogger logger, string resource, int count, string resourceVersion);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Resource}: version {ResourceVersion} is no longer kept by the server, listing again")]
    private static partial void LogGone(ILogger logger, string resource, string resourceVersion);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Resource}: list or watch failed, trying again: {Reason}")]
    private static partial void LogFailed(ILogger logger, string resource, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Resource}: a handler failed on {Key}")]
    private static partial void LogHandler(ILogger logger, Exception exception, string resource, string key);
}
