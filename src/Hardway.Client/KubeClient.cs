using System.IO.Pipelines;
using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using Hardway.Api;
using Hardway.Api.Meta.V1;
using Hardway.Hosting;

namespace Hardway.Client;

/// <summary>
/// Requests to an API server as one identity. Typed by the generated classes; every verb also takes an <see cref="ApiResource"/>, so that any
/// resource of discovery can be read as <see cref="PartialObjectMetadata"/> or as a JSON tree. An answer that is no success is an
/// <see cref="ApiException"/>; 429 and 503 with Retry-After are retried here. Safe for all threads.
/// </summary>
public sealed class KubeClient : IDisposable
{
    private const int MaxRetries = 10;
    private const string JsonType = "application/json";
    private const int MaxEvent = 64 << 20;
    private const string MetadataAccept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
    private const string MetadataListAccept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

    private readonly KubeTransport _transport;
    private readonly ITokenSource? _tokens;
    private readonly bool _ownsTransport;
    private readonly string _userAgent;
    private readonly KubeConfig? _config;
    private readonly TimeProvider _time;

    public KubeClient(KubeConfig config, string program, TimeProvider? time = null, Metrics? metrics = null) : this(config, TokensOf(config, time ?? TimeProvider.System), program, time, metrics)
    {
    }

    private KubeClient(KubeConfig config, ITokenSource? tokens, string program, TimeProvider? time, Metrics? metrics)
        : this(new KubeTransport(config, metrics, tokens is ExecTokenSource exec ? () => exec.Certificate : null), tokens, program, time) => (_config, _ownsTransport) = (config, true);

    /// <summary>Another identity over connections that somebody else owns.</summary>
    public KubeClient(KubeTransport transport, ITokenSource? tokens, string program, TimeProvider? time = null)
    {
        _transport = transport;
        _tokens = tokens;
        _userAgent = $"{program}/{HardwayVersion.GitVersion} (linux/amd64)";
        _time = time ?? TimeProvider.System;
    }

    public TimeProvider Time => _time;

    public void Dispose()
    {
        if (_ownsTransport) _transport.Dispose();
        (_tokens as IDisposable)?.Dispose();
    }

    public Task<T> GetAsync<T>(string? ns, string name, CancellationToken ct) where T : ApiStruct, IApiType<T>, new() => GetAsync<T>(ApiResource.Of<T>(), ns, name, ct);

    public async Task<T> GetAsync<T>(ApiResource resource, string? ns, string name, CancellationToken ct, string? subresource = null) where T : ApiStruct, IApiType<T>, new() =>
        ApiJson.Deserialize<T>(await RequestAsync(HttpMethod.Get, resource.Path(ns, name, subresource), null, null, ct, Accept<T>(list: false)));

    /// <summary>The object, or null when there is none.</summary>
    public Task<T?> TryGetAsync<T>(string? ns, string name, CancellationToken ct) where T : ApiStruct, IApiType<T>, new() => TryGetAsync<T>(ApiResource.Of<T>(), ns, name, ct);

    public async Task<T?> TryGetAsync<T>(ApiResource resource, string? ns, string name, CancellationToken ct) where T : ApiStruct, IApiType<T>, new()
    {
        try { return await GetAsync<T>(resource, ns, name, ct); }
        catch (ApiException e) when (e.IsNotFound) { return null; }
    }

    /// <summary>One page. Null namespace: all.</summary>
    public Task<ListPage<T>> ListPageAsync<T>(string? ns, ListOptions? options, CancellationToken ct) where T : ApiStruct, IApiType<T>, new() => ListPageAsync<T>(ApiResource.Of<T>(), ns, options, ct);

    public async Task<ListPage<T>> ListPageAsync<T>(ApiResource resource, string? ns, ListOptions? options, CancellationToken ct) where T : ApiStruct, IApiType<T>, new() =>
        Frames.ReadList<T>(await RequestAsync(HttpMethod.Get, resource.Path(ns) + new KubeQuery().Add(options), null, null, ct, Accept<T>(list: true)));

    /// <summary>All pages together, fetched 500 at a time unless the options say otherwise; the resource version is the first page's snapshot.</summary>
    public Task<ListPage<T>> ListAsync<T>(string? ns, ListOptions? options, CancellationToken ct) where T : ApiStruct, IApiType<T>, new() => ListAsync<T>(ApiResource.Of<T>(), ns, options, ct);

    public async Task<ListPage<T>> ListAsync<T>(ApiResource resource, string? ns, ListOptions? options, CancellationToken ct) where T : ApiStruct, IApiType<T>, new()
    {
        var query = options is null ? new ListOptions() : (ListOptions)options.DeepClone();
        if (query.Limit == 0 && query.ResourceVersion.Length == 0) query.Limit = 500;
        var page = await ListPageAsync<T>(resource, ns, query, ct);
        var items = page.Items;
        while (page.Continue.Length > 0)
        {
            query.Continue = page.Continue;
            query.ResourceVersion = query.ResourceVersionMatch = "";
            page = await ListPageAsync<T>(resource, ns, query, ct);
            items.AddRange(page.Items);
        }
        return page with { Items = items };
    }

    public Task<T> CreateAsync<T>(T obj, CancellationToken ct) where T : KubeObject, IApiType<T>, new() => CreateAsync(ApiResource.Of<T>(), obj, ct);

    public async Task<T> CreateAsync<T>(ApiResource resource, T obj, CancellationToken ct) where T : KubeObject, IApiType<T>, new() =>
        ApiJson.Deserialize<T>(await RequestAsync(HttpMethod.Post, resource.Path(obj.Metadata.Namespace), ApiJson.Serialize(obj), JsonType, ct));

    /// <summary>Creates a virtual or sub resource whose answer is of the same type (TokenRequest, Binding, SubjectAccessReview...).</summary>
    public async Task<T> CreateAsync<T>(ApiResource resource, string? ns, string? name, string? subresource, T body, CancellationToken ct) where T : ApiStruct, IApiType<T>, new() =>
        ApiJson.Deserialize<T>(await RequestAsync(HttpMethod.Post, resource.Path(ns, name, subresource), ApiJson.Serialize(body), JsonType, ct));

    /// <summary>Posts to a subresource whose answer does not matter (binding, eviction).</summary>
    public Task PostAsync(ApiResource resource, string? ns, string name, string subresource, ApiStruct body, CancellationToken ct) =>
        RequestAsync(HttpMethod.Post, resource.Path(ns, name, subresource), ApiJson.Serialize(body), JsonType, ct);

    public Task<T> UpdateAsync<T>(T obj, CancellationToken ct) where T : KubeObject, IApiType<T>, new() => PutAsync(obj, null, ct);

    public Task<T> UpdateStatusAsync<T>(T obj, CancellationToken ct) where T : KubeObject, IApiType<T>, new() => PutAsync(obj, "status", ct);

    public async Task<T> PutAsync<T>(T obj, string? subresource, CancellationToken ct) where T : KubeObject, IApiType<T>, new() =>
        ApiJson.Deserialize<T>(await RequestAsync(HttpMethod.Put, ApiResource.Of<T>().Path(obj.Metadata.Namespace, obj.Metadata.Name, subresource), ApiJson.Serialize(obj), JsonType, ct));

    public Task<T> PatchAsync<T>(string? ns, string name, PatchType type, ReadOnlyMemory<byte> body, CancellationToken ct, string? subresource = null, PatchOptions? options = null) where T : ApiStruct, IApiType<T>, new() =>
        PatchAsync<T>(ApiResource.Of<T>(), ns, name, type, body, ct, subresource, options);

    public async Task<T> PatchAsync<T>(ApiResource resource, string? ns, string name, PatchType type, ReadOnlyMemory<byte> body, CancellationToken ct, string? subresource = null, PatchOptions? options = null) where T : ApiStruct, IApiType<T>, new()
    {
        var query = new KubeQuery().Add("fieldManager", options?.FieldManager).Add("force", options?.Force);
        return ApiJson.Deserialize<T>(await RequestAsync(HttpMethod.Patch, resource.Path(ns, name, subresource) + query, body, type.ContentType(), ct, Accept<T>(list: false)));
    }

    /// <summary>Deletes. An object that is gone already is no error (false).</summary>
    public Task<bool> DeleteAsync<T>(string? ns, string name, DeleteOptions? options, CancellationToken ct) where T : ApiStruct, IApiType<T>, new() => DeleteAsync(ApiResource.Of<T>(), ns, name, options, ct);

    public async Task<bool> DeleteAsync(ApiResource resource, string? ns, string name, DeleteOptions? options, CancellationToken ct)
    {
        try
        {
            await RequestAsync(HttpMethod.Delete, resource.Path(ns, name), Body(options), JsonType, ct);
            return true;
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return false;
        }
    }

    public Task DeleteCollectionAsync(ApiResource resource, string? ns, ListOptions? query, DeleteOptions? options, CancellationToken ct) =>
        RequestAsync(HttpMethod.Delete, resource.Path(ns) + new KubeQuery().Add(query), Body(options), JsonType, ct);

    public IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(string? ns, ListOptions? options, CancellationToken ct) where T : KubeObject, IApiType<T>, new() => WatchAsync<T>(ApiResource.Of<T>(), ns, options, ct);

    /// <summary>Events until the server ends the watch (a normal end), fails, or the token is cancelled. An ERROR event is thrown.</summary>
    public async IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(ApiResource resource, string? ns, ListOptions? options, [EnumeratorCancellation] CancellationToken ct) where T : KubeObject, IApiType<T>, new()
    {
        var query = options is null ? new ListOptions() : (ListOptions)options.DeepClone();
        query.Watch = true;
        using var response = await SendAsync(HttpMethod.Get, resource.Path(ns) + new KubeQuery().Add(query), null, null, Accept<T>(list: false), ct);
        await using var stream = await response.Content.ReadAsStreamAsync(ct);
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 16 * 1024));
        try
        {
            while (true)
            {
                var read = await reader.ReadAsync(ct);
                var buffer = read.Buffer;
                while (TryReadLine(ref buffer, out var line))
                {
                    if (Decode<T>(line) is { } happened) yield return happened;
                }
                if (buffer.Length > MaxEvent) throw new InvalidDataException($"a watch event of {resource.Plural} is larger than {MaxEvent} bytes");
                reader.AdvanceTo(buffer.Start, buffer.End);
                if (read.IsCompleted) yield break;
            }
        }
        finally
        {
            await reader.CompleteAsync();
        }
    }

    /// <summary>A GET of any path, decoded as a tree (discovery, scale, non-resource paths).</summary>
    public async Task<object?> GetTreeAsync(string path, CancellationToken ct, string? accept = null) => ApiJson.DeserializeTree(await RequestAsync(HttpMethod.Get, path, null, null, ct, accept));

    /// <summary>Any request; the whole body of the answer.</summary>
    public async Task<byte[]> RequestAsync(HttpMethod method, string pathAndQuery, ReadOnlyMemory<byte>? body, string? contentType, CancellationToken ct, string? accept = null)
    {
        using var response = await SendAsync(method, pathAndQuery, body, contentType, accept, ct);
        return await response.Content.ReadAsByteArrayAsync(ct);
    }

    /// <summary>Any request; the answer with its body still to be read (logs). The caller disposes it.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string pathAndQuery, ReadOnlyMemory<byte>? body, string? contentType, string? accept, CancellationToken ct)
    {
        for (var attempt = 0; ; attempt++)
        {
            using var request = await NewRequestAsync(method, pathAndQuery, body, contentType, accept, ct);
            var response = await _transport.SendAsync(request, ct);
            if (response.IsSuccessStatusCode) return response;
            ApiException error;
            using (response) error = await ErrorAsync(response, ct);
            if (error.Code == 401) _tokens?.Invalidate();
            if (error.RetryAfter is not { } wait || error.Code is not (429 or 503) || attempt >= MaxRetries) throw error;
            await Task.Delay(wait > TimeSpan.FromSeconds(30) ? TimeSpan.FromSeconds(30) : wait, _time, ct);
        }
    }

    private async ValueTask<HttpRequestMessage> NewRequestAsync(HttpMethod method, string pathAndQuery, ReadOnlyMemory<byte>? body, string? contentType, string? accept, CancellationToken ct)
    {
        var basePath = _transport.Server.AbsolutePath.TrimEnd('/');
        var request = new HttpRequestMessage(method, new Uri(_transport.Server, basePath + pathAndQuery)) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionOrLower };
        request.Headers.TryAddWithoutValidation("User-Agent", _userAgent);
        request.Headers.TryAddWithoutValidation("Accept", accept ?? "application/json");
        if (body is { } bytes)
        {
            request.Content = new ReadOnlyMemoryContent(bytes);
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType!);
        }
        if (_tokens is not null && await _tokens.GetAsync(ct) is { Length: > 0 } token) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        else if (_config is { Username.Length: > 0 } basic) request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{basic.Username}:{basic.Password}")));
        if (_config is { ImpersonateUser.Length: > 0 } config)
        {
            request.Headers.Add("Impersonate-User", config.ImpersonateUser);
            foreach (var group in config.ImpersonateGroups) request.Headers.Add("Impersonate-Group", group);
            foreach (var (name, value) in config.ImpersonateExtra) request.Headers.TryAddWithoutValidation($"Impersonate-Extra-{Uri.EscapeDataString(name)}", value);
            if (config.ImpersonateUid is { Length: > 0 }) request.Headers.Add("Impersonate-Uid", config.ImpersonateUid);
        }
        return request;
    }

    private async Task<ApiException> ErrorAsync(HttpResponseMessage response, CancellationToken ct)
    {
        var body = await response.Content.ReadAsByteArrayAsync(ct);
        var retry = response.Headers.RetryAfter;
        var wait = retry?.Delta ?? (retry?.Date is { } date ? date - _time.GetUtcNow() : null);
        return ApiException.From((int)response.StatusCode, body, response.ReasonPhrase, wait < TimeSpan.Zero ? TimeSpan.Zero : wait);
    }

    private static WatchEvent<T>? Decode<T>(ReadOnlySequence<byte> line) where T : KubeObject, IApiType<T>, new()
    {
        if (line.IsEmpty) return null;
        var bytes = line.IsSingleSegment ? line.FirstSpan : line.ToArray();
        var (type, at) = Frames.ReadEvent(bytes);
        if (type == WatchEventType.Error) throw ApiException.From(500, bytes[at], "the watch failed", null);
        return type == WatchEventType.Unknown ? null : new WatchEvent<T>(type, ApiJson.Deserialize<T>(bytes[at]));
    }

    private static bool TryReadLine(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> line)
    {
        line = default;
        if (buffer.PositionOf((byte)'\n') is not { } end) return false;
        line = buffer.Slice(0, end);
        buffer = buffer.Slice(buffer.GetPosition(1, end));
        return true;
    }

    private static ReadOnlyMemory<byte>? Body(DeleteOptions? options)
    {
        if (options is null) return null;
        options.ApiVersion = "v1";
        options.Kind = "DeleteOptions";
        return ApiJson.Serialize(options);
    }

    private static string? Accept<T>(bool list) where T : ApiStruct, IApiType<T>, new() =>
        T.TypeSchema != PartialObjectMetadata.TypeSchema ? null : list ? MetadataListAccept : MetadataAccept;

    private static ITokenSource? TokensOf(KubeConfig config, TimeProvider time) =>
        config.Token is { Length: > 0 } token ? new FixedTokenSource(token)
        : config.TokenFile is { } file ? new FileTokenSource(file, time)
        : config.Exec is { } exec ? new ExecTokenSource(exec, config, time)
        : null;
}
