using System.Security.Cryptography;
using Hardway.Api.Protobuf;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;
using Hardway.Storage.Cache;

namespace Hardway.ApiServer.Handlers;

/// <summary>
/// Streams changes as JSON frames, one a line, or as protobuf frames with their length. Frames of whole objects in the storage version are
/// encoded once and shared by all watchers.
/// Ends after timeoutSeconds, when the client goes, when the server stops, or with an ERROR frame that tells the client to list again.
/// </summary>
internal sealed class WatchHandler(ApiServices services)
{
    public async Task HandleAsync(RequestContext context, ServedResource resource)
    {
        var negotiation = Negotiation.Of(context.Request, resource.Offer & ~Offer.Yaml);
        var filter = ObjectFilter.Of(context, resource);
        var request = await RequestAsync(context, resource, filter).ConfigureAwait(false);
        using var watcher = services.Objects.Cache.Watch(request);
        var response = context.Response;
        response.StatusCode = 200;
        response.ContentType = negotiation.Media == MediaType.Protobuf ? ApiProtobuf.MediaType + ";stream=watch" : "application/json";
        ResponseWriter.Headers(context);
        await response.StartAsync(context.Aborted).ConfigureAwait(false);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.Aborted, services.Stopping);
        ending.CancelAfter(Timeout(context));
        var frames = new FrameWriter(services, resource, filter, negotiation, TablePrinter.IncludeObject(context));
        if (watcher is null)
        {
            frames.WriteError(response.BodyWriter, Statuses.Expired($"too old resource version: {request.FromRevision} ({services.Objects.Cache.Revision})"));
            await response.BodyWriter.FlushAsync(CancellationToken.None).ConfigureAwait(false);
            return;
        }

        await response.BodyWriter.FlushAsync(ending.Token).ConfigureAwait(false);
        await StreamAsync(context, watcher, frames, resource.Registry.Custom, ending.Token).ConfigureAwait(false);
    }

    private static async Task StreamAsync(RequestContext context, CacheWatcher watcher, FrameWriter frames, Custom.CustomVersion? custom, CancellationToken ending)
    {
        var output = context.Response.BodyWriter;
        try
        {
            while (await watcher.WaitToReadAsync(ending).ConfigureAwait(false))
            {
                var unflushed = 0;
                while (watcher.TryRead(out var e))
                {
                    unflushed += frames.Write(output, custom is null ? e : await custom.ShowAsync(e, ending).ConfigureAwait(false));
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
        if (version.Length > 0 && !ResourceVersions.TryParse(version, out _))
        {
            // Upstream (1.36) answers 500 here, which clients take for a server in trouble and try again.
            throw Statuses.BadRequest($"invalid resource version: \"{version}\" is no number");
        }

        var bookmarks = RequestInfoResolver.IsTrue(query["allowWatchBookmarks"]);
        bool? initial = query.TryGetValue("sendInitialEvents", out var send) ? RequestInfoResolver.IsTrue(send) : null;
        CheckInitialEvents(initial, query["resourceVersionMatch"].ToString());
        var request = new CacheWatchRequest(resource.Registry.Collection(context.Info.Namespace))
        {
            Bookmarks = bookmarks,
            Index = filter.IndexValue(resource.Rules),
        };
        // Without a version a watch has always begun with the present state; it is told where that ends as those are that ask for it.
        var isLegacy = version.Length == 0 || version == "0";
        if (initial == true || (initial is null && isLegacy))
        {
            await services.Objects.WaitAsync(version, context.Aborted).ConfigureAwait(false);
            return request with { InitialState = true, InitialStateBookmark = bookmarks };
        }

        if (isLegacy)
        {
            await services.Objects.WaitAsync(version, context.Aborted).ConfigureAwait(false);
            return request with { FromRevision = services.Objects.Cache.Revision };
        }

        return request with { FromRevision = ResourceVersions.Parse(version) };
    }

    private static void CheckInitialEvents(bool? initial, string match)
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
            errors.NotSupported(FieldPath.Of("resourceVersionMatch"), match, "NotOlderThan");
        }

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
