using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Hardway.Client.Tests;

/// <summary>
/// The part of the API that clients and controllers lean on, in memory and over HTTP messages: versions, conflicts, generations, status as a
/// subresource, merge patches, finalizers, LIST and WATCH with history. Tests can break it: refuse requests, drop watches, forget history.
/// </summary>
internal sealed class InMemoryApi : HttpMessageHandler
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, JsonObject> _objects = new(StringComparer.Ordinal);
    private readonly List<Change> _history = [];
    private readonly List<Watcher> _watchers = [];
    private readonly TimeProvider _time;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _version = 1;
    private long _compacted;

    public InMemoryApi(TimeProvider? time = null) => _time = time ?? TimeProvider.System;

    private sealed record Change(long Version, string Type, string Collection, JsonObject Object);

    private sealed record Watcher(string Collection, string? Namespace, Pipe Pipe);

    private sealed record Target(string Collection, string Namespace, string? Name, string? Subresource);

    /// <summary>Every request in order: "GET /api/v1/pods".</summary>
    public List<string> Requests { get; } = [];

    /// <summary>Asked first; an answer that is not null is given instead.</summary>
    public Func<HttpRequestMessage, HttpResponseMessage?>? Intercept { get; set; }

    /// <summary>Does a watch begin with what is there when it is asked to (KEP-3157)? If not it is refused, as older servers do.</summary>
    public bool StreamsLists { get; init; }

    public KubeClient NewClient() => new(new KubeTransport(new Uri("http://api.test"), this), null, "test", _time);

    public int WatcherCount { get { lock (_gate) return _watchers.Count; } }

    /// <summary>Copies of all objects of a collection such as /apis/apps/v1/replicasets.</summary>
    public List<JsonObject> All(string collection)
    {
        lock (_gate) return [.. _objects.Where(o => o.Key.StartsWith(collection + "|", StringComparison.Ordinal)).Select(o => (JsonObject)o.Value.DeepClone())];
    }

    /// <summary>Ends every open watch, as a connection that is lost does.</summary>
    public void DropWatches()
    {
        lock (_gate)
        {
            foreach (var watcher in _watchers) watcher.Pipe.Writer.Complete();
            _watchers.Clear();
        }
    }

    /// <summary>Forgets all history: watches from old versions get 410.</summary>
    public void Compact()
    {
        lock (_gate) (_compacted, _) = (_version, 0);
    }

    /// <summary>Changes an object without a request (what a kubelet would do).</summary>
    public void Edit(string collection, string ns, string name, Action<JsonObject> change)
    {
        lock (_gate)
        {
            var obj = (JsonObject)_objects[$"{collection}|{ns}/{name}"].DeepClone();
            change(obj);
            Commit("MODIFIED", collection, obj);
        }
    }

    /// <summary>Ends when the predicate holds; it is asked after every change.</summary>
    public async Task UntilAsync(Func<bool> predicate, string what, CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (true)
        {
            Task changed;
            lock (_gate) changed = _changed.Task;
            if (predicate()) return;
            try
            {
                await changed.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                lock (_gate) throw new TimeoutException($"waited for {what}; there are: {string.Join(", ", _objects.Keys)}");
            }
        }
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var path = request.RequestUri!.AbsolutePath;
        var query = System.Web.HttpUtility.ParseQueryString(request.RequestUri.Query);
        if (query["sendInitialEvents"] == "true" && !StreamsLists) return Error(422, "Invalid", "sendInitialEvents is not known here");
        lock (_gate) Requests.Add($"{(query["watch"] == "true" ? "WATCH" : request.Method)} {path}");
        if (Intercept?.Invoke(request) is { } answer) return answer;
        var body = request.Content is null ? null : JsonNode.Parse(await request.Content.ReadAsStreamAsync(cancellationToken)) as JsonObject;
        var target = Parse(path);
        lock (_gate)
        {
            if (request.Method == HttpMethod.Get && query["watch"] == "true") return Watch(target, query["resourceVersion"] ?? "", query["sendInitialEvents"] == "true", cancellationToken);
            if (request.Method == HttpMethod.Get) return target.Name is null ? List(target) : Get(target);
            if (request.Method == HttpMethod.Post) return Create(target, body!);
            if (request.Method == HttpMethod.Put) return Update(target, body!);
            if (request.Method == HttpMethod.Patch) return Patch(target, body!);
            return Delete(target);
        }
    }

    private static Target Parse(string path)
    {
        var parts = path.Trim('/').Split('/');
        var at = parts[0] == "api" ? 2 : 3;
        var root = "/" + string.Join('/', parts[..at]);
        var ns = "";
        if (parts.Length > at + 2 && parts[at] == "namespaces" && !(parts.Length == at + 3 && parts[at + 2] is "status" or "finalize"))
        {
            ns = parts[at + 1];
            at += 2;
        }
        return new Target($"{root}/{parts[at]}", ns, parts.Length > at + 1 ? parts[at + 1] : null, parts.Length > at + 2 ? parts[at + 2] : null);
    }

    private static string KeyOf(Target target, string? name = null) => $"{target.Collection}|{target.Namespace}/{name ?? target.Name}";

    private HttpResponseMessage Get(Target target) => _objects.TryGetValue(KeyOf(target), out var obj) ? Json(obj) : Error(404, "NotFound");

    private HttpResponseMessage List(Target target)
    {
        var items = _objects.Where(o => o.Key.StartsWith($"{target.Collection}|{(target.Namespace.Length > 0 ? target.Namespace + "/" : "")}", StringComparison.Ordinal)).Select(o => o.Value.DeepClone());
        return Json(new JsonObject { ["kind"] = "List", ["metadata"] = new JsonObject { ["resourceVersion"] = Text(_version) }, ["items"] = new JsonArray([.. items]) });
    }

    private HttpResponseMessage Create(Target target, JsonObject obj)
    {
        var meta = (JsonObject)(obj["metadata"] ??= new JsonObject());
        var name = (string?)meta["name"] ?? $"{(string?)meta["generateName"]}{Guid.NewGuid():N}"[..((((string?)meta["generateName"])?.Length ?? 0) + 5)];
        if (_objects.ContainsKey(KeyOf(target, name))) return Error(409, "AlreadyExists");
        meta["name"] = name;
        meta["namespace"] = target.Namespace;
        meta["uid"] = Guid.NewGuid().ToString();
        meta["generation"] = 1L;
        meta["creationTimestamp"] = _time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        return Json(Commit("ADDED", target.Collection, obj));
    }

    private HttpResponseMessage Update(Target target, JsonObject obj)
    {
        if (!_objects.TryGetValue(KeyOf(target), out var old)) return Error(404, "NotFound");
        if ((string?)obj["metadata"]!["resourceVersion"] is { Length: > 0 } version && version != (string?)old["metadata"]!["resourceVersion"]) return Error(409, "Conflict");
        var now = (JsonObject)old.DeepClone();
        if (target.Subresource == "status") now["status"] = obj["status"]?.DeepClone();
        else
        {
            now = (JsonObject)obj.DeepClone();
            now["status"] = old["status"]?.DeepClone();
        }
        return Json(Replace(target, old, now));
    }

    private HttpResponseMessage Patch(Target target, JsonObject patch)
    {
        if (!_objects.TryGetValue(KeyOf(target), out var old)) return Error(404, "NotFound");
        if ((string?)patch["metadata"]?["uid"] is { } uid && uid != (string?)old["metadata"]!["uid"]) return Error(409, "Conflict");
        var now = (JsonObject)old.DeepClone();
        Merge(now, patch);
        return Json(Replace(target, old, now));
    }

    private HttpResponseMessage Delete(Target target)
    {
        if (!_objects.TryGetValue(KeyOf(target), out var old)) return Error(404, "NotFound");
        if (old["metadata"]!["finalizers"] is JsonArray { Count: > 0 })
        {
            var now = (JsonObject)old.DeepClone();
            now["metadata"]!["deletionTimestamp"] ??= _time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            return Json(Commit("MODIFIED", target.Collection, now));
        }
        return Json(Commit("DELETED", target.Collection, (JsonObject)old.DeepClone()));
    }

    private JsonObject Replace(Target target, JsonObject old, JsonObject now)
    {
        if (!JsonNode.DeepEquals(old["spec"], now["spec"])) now["metadata"]!["generation"] = (long)old["metadata"]!["generation"]! + 1;
        if (JsonNode.DeepEquals(old, now)) return old;
        var gone = now["metadata"]!["deletionTimestamp"] is not null && now["metadata"]!["finalizers"] is null or JsonArray { Count: 0 };
        return Commit(gone ? "DELETED" : "MODIFIED", target.Collection, now);
    }

    private JsonObject Commit(string type, string collection, JsonObject obj)
    {
        obj["metadata"]!["resourceVersion"] = Text(++_version);
        var key = $"{collection}|{(string?)obj["metadata"]!["namespace"]}/{(string?)obj["metadata"]!["name"]}";
        if (type == "DELETED") _objects.Remove(key);
        else _objects[key] = obj;
        var change = new Change(_version, type, collection, obj);
        _history.Add(change);
        foreach (var watcher in _watchers) Send(watcher, change);
        _changed.TrySetResult();
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return obj;
    }

    private HttpResponseMessage Watch(Target target, string from, bool initial, CancellationToken ct)
    {
        var version = initial ? _version : long.Parse(from, CultureInfo.InvariantCulture);
        if (version < _compacted) return Error(410, "Expired");
        var watcher = new Watcher(target.Collection, target.Namespace.Length > 0 ? target.Namespace : null, new Pipe(new PipeOptions(pauseWriterThreshold: 0)));
        if (initial) SendInitial(watcher);
        foreach (var change in _history.Where(c => c.Version > version)) Send(watcher, change);
        _watchers.Add(watcher);
        ct.Register(() => { lock (_gate) { _watchers.Remove(watcher); } });
        _changed.TrySetResult();
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(watcher.Pipe.Reader.AsStream()) };
    }

    private void SendInitial(Watcher watcher)
    {
        foreach (var (key, obj) in _objects.Where(o => o.Key.StartsWith(watcher.Collection + "|", StringComparison.Ordinal))) Send(watcher, new Change(_version, "ADDED", key[..key.IndexOf('|', StringComparison.Ordinal)], obj));
        var end = new JsonObject { ["metadata"] = new JsonObject { ["namespace"] = watcher.Namespace, ["resourceVersion"] = Text(_version), ["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" } } };
        Send(watcher, new Change(_version, "BOOKMARK", watcher.Collection, end));
    }

    private static void Send(Watcher watcher, Change change)
    {
        if (watcher.Collection != change.Collection || (watcher.Namespace is { } ns && (string?)change.Object["metadata"]!["namespace"] != ns)) return;
        var line = new JsonObject { ["type"] = change.Type, ["object"] = change.Object.DeepClone() }.ToJsonString() + "\n";
        var written = watcher.Pipe.Writer.WriteAsync(Encoding.UTF8.GetBytes(line));
        if (!written.IsCompleted) throw new InvalidOperationException("an unbounded pipe waited");
    }

    private static void Merge(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            switch (value)
            {
                case null:
                    target.Remove(name);
                    break;
                case JsonObject inner:
                    if (target[name] is not JsonObject into) target[name] = into = new JsonObject();
                    Merge(into, inner);
                    break;
                case JsonArray items when name is "conditions" or "ownerReferences" && target[name] is JsonArray old:
                    MergeList(old, items, name == "conditions" ? "type" : "uid");
                    break;
                default:
                    target[name] = value.DeepClone();
                    break;
            }
        }
    }

    private static void MergeList(JsonArray into, JsonArray items, string key)
    {
        foreach (var item in items)
        {
            var old = into.FirstOrDefault(o => (string?)o![key] == (string?)item![key]);
            if (old is not null) into.Remove(old);
            if ((string?)item!["$patch"] != "delete") into.Add(item.DeepClone());
        }
    }

    private static string Text(long version) => version.ToString(CultureInfo.InvariantCulture);

    public static HttpResponseMessage Error(int code, string reason, string message = "") =>
        Json(new JsonObject { ["kind"] = "Status", ["apiVersion"] = "v1", ["status"] = "Failure", ["reason"] = reason, ["code"] = code, ["message"] = message.Length > 0 ? message : reason }, (HttpStatusCode)code);

    private static HttpResponseMessage Json(JsonNode node, HttpStatusCode status = HttpStatusCode.OK) =>
        new(status) { Content = new StringContent(node.ToJsonString(), Encoding.UTF8, "application/json") };
}
