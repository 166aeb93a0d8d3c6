using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Hardway.Api;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;
using Hardway.Storage.Cache;

namespace Hardway.ApiServer.Handlers;

/// <summary>
/// Streams changes as JSON frames, one a line. Frames of whole objects in the storage version are encoded once and shared by all watchers.
/// Ends after timeoutSeconds, when the client goes, when the server stops, or with an ERROR frame that tells the client to list again.
/// </summary>
internal sealed class WatchHandler(ApiServices services)
{
    private const string InitialEventsEnd = "k8s.io/initial-events-end";

    public async Task HandleAsync(RequestContext context, ServedResource resource)
    {
        var negotiation = Negotiation.Of(context.Request);
        var filter = ObjectFilter.Of(context, resource);
        var request = await RequestAsync(context, resource, filter).ConfigureAwait(false);
        using var watcher = services.Objects.Cache.Watch(request);
        var response = context.Response;
        response.StatusCode = 200;
        response.ContentType = negotiation.As == Representation.Object ? "application/json" : "application/json;stream=watch";
        response.ContentType = "application/json";
        ResponseWriter.Headers(context);
        await response.StartAsync(context.Aborted).ConfigureAwait(false);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.Aborted, services.Stopping);
        ending.CancelAfter(Timeout(context));
        var frames = new FrameWriter(services, resource, filter, negotiation.As, TablePrinter.IncludeObject(context));
        if (watcher is null)
        {
            frames.WriteError(response.BodyWriter, Statuses.Expired($"too old resource version: {request.FromRevision} ({services.Objects.Cache.Revision})"));
            await response.BodyWriter.FlushAsync(CancellationToken.None).ConfigureAwait(false);
            return;
        }

        await response.BodyWriter.FlushAsync(ending.Token).ConfigureAwait(false);
        await StreamAsync(context, watcher, frames, ending.Token).ConfigureAwait(false);
    }

    private static async Task StreamAsync(RequestContext context, CacheWatcher watcher, FrameWriter frames, CancellationToken ending)
    {
        var output = context.Response.BodyWriter;
        try
        {
            while (await watcher.WaitToReadAsync(ending).ConfigureAwait(false))
            {
                var unflushed = 0;
                while (watcher.TryRead(out var e))
                {
                    unflushed += frames.Write(output, e);
                    if (unflushed > 64 * 1024)
                    {
                        await output.FlushAsync(ending).ConfigureAwait(false);
                        unflushed = 0;
                    }
                }

                if (unflushed > 0)
                {
                    await output.FlushAsync(ending).ConfigureAwait(false);
                }
            }

            if (watcher.End == CacheWatchEnd.CacheReset)
            {
                frames.WriteError(output, Statuses.Expired("the watch cache was loaded anew; list again"));
                await output.FlushAsync(ending).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The time is over, the client has gone or the server stops: the stream just ends.
        }
    }

    private async Task<CacheWatchRequest> RequestAsync(RequestContext context, ServedResource resource, ObjectFilter filter)
    {
        var query = context.Request.Query;
        var version = query["resourceVersion"].ToString();
        var bookmarks = RequestInfoResolver.IsTrue(query["allowWatchBookmarks"]);
        bool? initial = query.TryGetValue("sendInitialEvents", out var send) ? RequestInfoResolver.IsTrue(send) : null;
        CheckInitialEvents(initial, query["resourceVersionMatch"].ToString(), version);
        var request = new CacheWatchRequest(resource.Registry.Collection(context.Info.Namespace))
        {
            Bookmarks = bookmarks,
            Index = filter.IndexValue(resource.Rules),
        };
        if (initial == true)
        {
            await services.Objects.WaitAsync(version, context.Aborted).ConfigureAwait(false);
            return request with { InitialState = true, InitialStateBookmark = bookmarks };
        }

        if (version.Length == 0 || version == "0")
        {
            await services.Objects.WaitAsync(version, context.Aborted).ConfigureAwait(false);
            return initial == false ? request with { FromRevision = services.Objects.Cache.Revision } : request with { InitialState = true };
        }

        return request with { FromRevision = ResourceVersions.Parse(version) };
    }

    private static void CheckInitialEvents(bool? initial, string match, string version)
    {
        var errors = new ErrorList();
        if (initial is not null && match.Length == 0)
        {
            errors.Forbidden(FieldPath.Of("resourceVersionMatch"), "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
        }
        else if (initial is null && match.Length > 0)
        {
            errors.Forbidden(FieldPath.Of("resourceVersionMatch"), "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
        }
        else if (initial is not null && match != "NotOlderThan")
        {
            errors.Forbidden(FieldPath.Of("resourceVersionMatch"), "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
        }

        _ = version;
        if (errors.Any)
        {
            throw Statuses.Invalid("meta.k8s.io", "ListOptions", "", errors);
        }
    }

    private TimeSpan Timeout(RequestContext context)
    {
        if (int.TryParse(context.Request.Query["timeoutSeconds"], out var asked) && asked > 0)
        {
            return TimeSpan.FromSeconds(asked);
        }

        var least = (int)services.Options.MinRequestTimeout.TotalSeconds;
        return TimeSpan.FromSeconds(RandomNumberGenerator.GetInt32(least, (least * 2) + 1));
    }
}

/// <summary>Writes watch frames in one watcher's terms: its selector, version and representation. One watcher's flow only.</summary>
internal sealed class FrameWriter(ApiServices services, ServedResource resource, ObjectFilter filter, Representation representation, string includeObject)
{
    private const string InitialEventsEnd = "k8s.io/initial-events-end";
    private bool _columnsSent;

    /// <summary>Writes the event if this watcher is to see it; the number of bytes written.</summary>
    public int Write(IBufferWriter<byte> output, CacheEvent e)
    {
        if (e.Type == CacheEventType.Bookmark)
        {
            return Write(output, "BOOKMARK", Bookmark(e));
        }

        var isNow = e.Type != CacheEventType.Deleted && filter.Matches(e.Object!);
        var was = e.Previous is not null && (filter.SelectsAll || filter.Matches(e.Previous));
        if (e.Type == CacheEventType.Added)
        {
            was = false;
        }

        switch (isNow, was)
        {
            case (true, false):
                return e.Type == CacheEventType.Added && IsShared ? WriteShared(output, e, "ADDED") : Write(output, "ADDED", Show(e.Object!));
            case (true, true):
                return IsShared ? WriteShared(output, e, "MODIFIED") : Write(output, "MODIFIED", Show(e.Object!));
            case (false, true):
                if (e.Type == CacheEventType.Deleted)
                {
                    return IsShared ? WriteShared(output, e, "DELETED") : Write(output, "DELETED", Show(e.Object!));
                }

                // It left the selection: to this watcher it is deleted, as it last saw it, at the revision of the change.
                return Write(output, "DELETED", Show(Former(e)));
            default:
                return 0;
        }
    }

    public void WriteError(IBufferWriter<byte> output, ApiException error) => Write(output, "ERROR", ApiJson.Serialize(error.Status));

    private bool IsShared => representation == Representation.Object && resource.IsStorageVersion;

    private static int WriteShared(IBufferWriter<byte> output, CacheEvent e, string type)
    {
        if (e.Frame is not byte[] frame)
        {
            e.Frame = frame = [.. Encoding.ASCII.GetBytes($"{{\"type\":\"{type}\",\"object\":"), .. e.Object!.Json.Span, .. "}\n"u8];
        }

        output.Write(frame);
        return frame.Length;
    }

    private static int Write(IBufferWriter<byte> output, string type, ReadOnlyMemory<byte> value)
    {
        var head = Encoding.ASCII.GetBytes($"{{\"type\":\"{type}\",\"object\":");
        output.Write(head);
        output.Write(value.Span);
        output.Write("}\n"u8);
        return head.Length + value.Length + 2;
    }

    private static CachedObject Former(CacheEvent e) => new()
    {
        Key = e.Previous!.Key,
        Name = e.Previous.Name,
        Namespace = e.Previous.Namespace,
        ResourceVersion = e.Revision,
        Json = ObjectBytes.WithResourceVersion(e.Previous.Json.Span, e.Revision),
        Labels = e.Previous.Labels,
        Fields = e.Previous.Fields,
        Tag = new ObjectSlot(),
    };

    private ReadOnlyMemory<byte> Show(CachedObject value)
    {
        if (value.Error is { } error)
        {
            throw Statuses.Internal(error);
        }

        switch (representation)
        {
            case Representation.Table:
                var table = TablePrinter.Make(resource, [ObjectStore.Decode(resource.Registry, value)], services.Time.GetUtcNow(), includeObject, !_columnsSent);
                table.Metadata.ResourceVersion = ResourceVersions.Of(value.ResourceVersion);
                _columnsSent = true;
                return ApiJson.Serialize(table);
            case Representation.PartialObjectMetadata:
                return ApiJson.Serialize(ObjectResponse.Partial(ObjectStore.Decode(resource.Registry, value)));
            default:
                return VersionConversion.Convert(value.Json, resource);
        }
    }

    private byte[] Bookmark(CacheEvent e)
    {
        var value = (KubeObject)resource.Info.Type.New();
        value.Kind = resource.Info.Kind;
        value.ApiVersion = resource.Info.ApiVersion;
        value.Metadata.ResourceVersion = ResourceVersions.Of(e.Revision);
        if (e.EndsInitialState)
        {
            value.Metadata.Annotations = new Dictionary<string, string> { [InitialEventsEnd] = "true" };
        }

        switch (representation)
        {
            case Representation.Table:
                var table = TablePrinter.Make(resource, [value], services.Time.GetUtcNow(), includeObject, false);
                table.Metadata.ResourceVersion = value.Metadata.ResourceVersion;
                return ApiJson.Serialize(table);
            case Representation.PartialObjectMetadata:
                return ApiJson.Serialize(ObjectResponse.Partial(value));
            default:
                return ApiJson.Serialize(value);
        }
    }
}
