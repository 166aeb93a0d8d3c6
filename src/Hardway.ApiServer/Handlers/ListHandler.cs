using System.Buffers;
using System.Text;
using Hardway.Api;
using Hardway.Api.Meta.V1;
using Hardway.Api.Protobuf;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;
using Hardway.Storage;
using Hardway.Storage.Cache;

namespace Hardway.ApiServer.Handlers;

/// <summary>
/// GET of a collection. The newest state and not-older states are served from the watch cache; an exact revision, or the next page of a list,
/// from the store's history (or from the page's snapshot, which is kept for a short time).
/// </summary>
internal sealed class ListHandler(ApiServices services)
{
    private static readonly byte[] s_first = "{"u8.ToArray();
    private static readonly byte[] s_next = ",{"u8.ToArray();
    private static readonly byte[] s_end = "]}"u8.ToArray();
    private readonly SnapshotShelf _shelf = new(services.Time);

    public async Task HandleAsync(RequestContext context, ServedResource resource)
    {
        var negotiation = Negotiation.Of(context.Request, resource.Offer);
        var filter = ObjectFilter.Of(context, resource);
        var page = await ReadAsync(context, resource, filter).ConfigureAwait(false);
        await WriteAsync(context, resource, page, negotiation).ConfigureAwait(false);
    }

    public async Task WriteAsync(RequestContext context, ServedResource resource, ListPage page, Negotiation negotiation)
    {
        switch (negotiation.As)
        {
            case Representation.Table:
                var values = page.Items.ConvertAll(i => ObjectStore.Decode(resource.Registry, i));
                var table = TablePrinter.Make(resource, values, services.Time.GetUtcNow(), TablePrinter.IncludeObject(context));
                table.ApiVersion = negotiation.ApiVersion;
                table.Metadata = page.Metadata;
                await ResponseWriter.WriteAsync(context, 200, table, negotiation.Media).ConfigureAwait(false);
                break;
            case Representation.PartialObjectMetadata:
                throw Statuses.NotAcceptable($"a PartialObjectMetadata was asked for, and this is a list of {resource.Info.Kind} objects", details: false);
            case Representation.PartialObjectMetadataList:
                var list = new PartialObjectMetadataList
                {
                    Kind = "PartialObjectMetadataList",
                    ApiVersion = negotiation.ApiVersion,
                    Metadata = page.Metadata,
                    Items = page.Items.ConvertAll(i => ObjectResponse.Partial(resource, ObjectStore.Decode(resource.Registry, i), negotiation)),
                };
                await ResponseWriter.WriteAsync(context, 200, list, negotiation.Media).ConfigureAwait(false);
                break;
            case Representation.Object when negotiation.Media == MediaType.Protobuf:
                var messages = page.Items.ConvertAll(i => ObjectStore.Message(resource, i));
                var body = ApiProtobuf.WrapList(resource.Info.ApiVersion, resource.Info.Kind + "List", page.Metadata, messages);
                await ResponseWriter.WriteProtobufAsync(context, 200, body).ConfigureAwait(false);
                break;
            case Representation.Object when ResponseWriter.TakesParts(context, negotiation.Media) && IsWhole(resource, page):
                var head = Head(resource, page);
                var trimmed = resource.Registry.Envelope.Length - 1;
                var length = head.Length + s_end.Length + page.Items.Sum(i => (long)i.Json.Length - trimmed) + Math.Max(0, page.Items.Count - 1);
                await ResponseWriter.WritePartsAsync(context, length, PartsOf(resource, page, head)).ConfigureAwait(false);
                break;
            default:
                await ResponseWriter.WriteJsonAsync(context, 200, Encode(resource, page), negotiation.Media).ConfigureAwait(false);
                break;
        }
    }

    /// <summary>The page that the query asks for, custom objects in the version asked for.</summary>
    public async Task<ListPage> ReadAsync(RequestContext context, ServedResource resource, ObjectFilter filter)
    {
        var page = await FindAsync(context, resource, filter).ConfigureAwait(false);
        return resource.Registry.Custom is { } custom ? page with { Items = await custom.ShowAsync(page.Items, context.Aborted).ConfigureAwait(false) } : page;
    }

    private async Task<ListPage> FindAsync(RequestContext context, ServedResource resource, ObjectFilter filter)
    {
        var query = context.Request.Query;
        var limit = ReadLimit(query["limit"].ToString());
        var version = query["resourceVersion"].ToString();
        var match = query["resourceVersionMatch"].ToString();
        var token = query["continue"].ToString();
        CheckMatch(version, match, token, query.ContainsKey("sendInitialEvents"), watch: false);
        var registry = resource.Registry;
        var prefix = registry.Collection(context.Info.Namespace);
        if (token.Length > 0)
        {
            if (version.Length > 0 && version != "0")
            {
                throw Statuses.BadRequest("specifying resource version is not allowed when using continue");
            }

            var next = ContinueToken.Decode(token);
            return next.Revision < 0
                ? await CurrentAsync(context, prefix, "", prefix + next.Start, limit, filter).ConfigureAwait(false)
                : await HistoricAsync(context, registry, prefix, next.Revision, prefix + next.Start, limit, filter, true).ConfigureAwait(false);
        }

        if (version.Length > 0 && version != "0")
        {
            var revision = ResourceVersions.TryParse(version, out var asked) ? asked : throw Statuses.BadRequest($"invalid resource version: \"{version}\" is no number");
            await services.Objects.WaitForAsync(revision, context.Aborted).ConfigureAwait(false);
            if (match == "Exact" || (match.Length == 0 && limit > 0))
            {
                return await HistoricAsync(context, registry, prefix, revision, null, limit, filter, false).ConfigureAwait(false);
            }
        }

        return await CurrentAsync(context, prefix, version, null, version == "0" && match.Length == 0 ? 0 : limit, filter).ConfigureAwait(false);
    }

    public static void CheckMatch(string version, string match, string token, bool initialEvents, bool watch)
    {
        var errors = new ErrorList();
        if (initialEvents && !watch)
        {
            errors.Forbidden(FieldPath.Of("sendInitialEvents"), "sendInitialEvents is forbidden for list");
        }

        if (match.Length > 0)
        {
            if (watch && !initialEvents)
            {
                errors.Forbidden(FieldPath.Of("resourceVersionMatch"), "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
            }
            else if (version.Length == 0 && !watch)
            {
                errors.Forbidden(FieldPath.Of("resourceVersionMatch"), "resourceVersionMatch is forbidden unless resourceVersion is provided");
            }

            if (token.Length > 0)
            {
                errors.Forbidden(FieldPath.Of("resourceVersionMatch"), "resourceVersionMatch is forbidden when continue is provided");
            }

            if (match is not ("Exact" or "NotOlderThan"))
            {
                errors.NotSupported(FieldPath.Of("resourceVersionMatch"), match, "Exact", "NotOlderThan", "");
            }
            else if (match == "Exact" && version == "0")
            {
                errors.Forbidden(FieldPath.Of("resourceVersionMatch"), "resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"");
            }
            else if (watch && initialEvents && match != "NotOlderThan")
            {
                errors.Forbidden(FieldPath.Of("resourceVersionMatch"), "resourceVersionMatch must be NotOlderThan with sendInitialEvents");
            }
        }

        if (errors.Any)
        {
            throw Statuses.Invalid("meta.k8s.io", "ListOptions", "", errors);
        }
    }

    private static int ReadLimit(string text)
    {
        if (text.Length == 0)
        {
            return 0;
        }

        return long.TryParse(text, out var limit) ? (int)Math.Clamp(limit, 0, int.MaxValue) : throw Statuses.BadRequest($"limit: \"{text}\" is not a number");
    }

    private async Task<ListPage> CurrentAsync(RequestContext context, string prefix, string version, string? start, int limit, ObjectFilter filter)
    {
        await services.Objects.WaitAsync(version, context.Aborted).ConfigureAwait(false);
        var snapshot = services.Objects.Cache.Snapshot(prefix);
        if (limit > 0)
        {
            _shelf.Keep(prefix, snapshot);
        }

        return Page(snapshot.Range(prefix, start), snapshot.Revision, prefix, limit, filter);
    }

    private async Task<ListPage> HistoricAsync(RequestContext context, ResourceRegistry registry, string prefix, long revision, string? start, int limit, ObjectFilter filter, bool isContinue)
    {
        if (_shelf.Find(prefix, revision) is { } kept)
        {
            return Page(kept.Range(prefix, start), revision, prefix, limit, filter);
        }

        try
        {
            var list = await services.Objects.Store.ListAsync(new StoreListRequest(prefix) { StartKey = start, Revision = revision }, context.Aborted).ConfigureAwait(false);
            return Page(list.Entries.Select(e => ObjectStore.FromEntry(registry, e)), revision, prefix, limit, filter);
        }
        catch (StoreException e) when (e.Error == StoreError.Compacted)
        {
            throw Compacted(context, isContinue, start, prefix);
        }
        catch (StoreException e) when (e.Error == StoreError.FutureRevision)
        {
            throw ResourceVersions.TooLarge(revision, services.Objects.Cache.Revision);
        }
    }

    /// <summary>410; for a page in the middle with a token to go on inconsistently.</summary>
    private static ApiException Compacted(RequestContext context, bool isContinue, string? start, string prefix)
    {
        _ = context;
        var error = Statuses.Expired(isContinue
            ? "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results."
            : "The resourceVersion for the provided list is too old.");
        if (isContinue && start is not null)
        {
            error.Status.Metadata.Continue = new ContinueToken(-1, start[prefix.Length..]).Encode();
        }

        return error;
    }

    private static ListPage Page(IEnumerable<CachedObject> all, long revision, string prefix, int limit, ObjectFilter filter)
    {
        var items = new List<CachedObject>();
        var metadata = new ListMeta { ResourceVersion = ResourceVersions.Of(revision) };
        var left = 0L;
        CachedObject? last = null;
        foreach (var item in all)
        {
            if (item.Error is { } error)
            {
                throw Statuses.Internal($"{item.Key} cannot be read from the store: {error}");
            }

            if (!filter.Matches(item))
            {
                continue;
            }

            if (limit > 0 && items.Count == limit)
            {
                left++;
                if (!filter.SelectsAll)
                {
                    break;
                }

                continue;
            }

            items.Add(item);
            last = item;
        }

        if (left > 0)
        {
            metadata.Continue = new ContinueToken(revision, last!.Key[prefix.Length..] + "\0").Encode();
            metadata.RemainingItemCount = filter.SelectsAll ? left : null;
        }

        return new ListPage(items, metadata);
    }

    /// <summary>Whether every item's bytes can be sent as they are but for kind and apiVersion, with which they all begin.</summary>
    private static bool IsWhole(ServedResource resource, ListPage page) =>
        resource.IsStorageVersion && !resource.Registry.IsCustom && page.Items.TrueForAll(i => i.Json.Span.StartsWith(resource.Registry.Envelope.Span));

    private static byte[] Head(ServedResource resource, ListPage page)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        WriteHead(buffer, resource, page);
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteHead(ArrayBufferWriter<byte> buffer, ServedResource resource, ListPage page)
    {
        buffer.Write(Encoding.UTF8.GetBytes($"{{\"kind\":\"{resource.Info.Kind}List\",\"apiVersion\":\"{resource.Info.ApiVersion}\",\"metadata\":"));
        WriteMetadata(buffer, resource, page.Metadata);
        buffer.Write(",\"items\":["u8);
    }

    private static IEnumerable<ReadOnlyMemory<byte>> PartsOf(ServedResource resource, ListPage page, byte[] head)
    {
        yield return head;
        var envelope = resource.Registry.Envelope.Length;
        var begin = s_first;
        foreach (var item in page.Items)
        {
            yield return begin;
            yield return item.Json[envelope..];
            begin = s_next;
        }

        yield return s_end;
    }

    /// <summary>The list's bytes, put together from the items' own.</summary>
    private static ReadOnlyMemory<byte> Encode(ServedResource resource, ListPage page)
    {
        var envelope = resource.IsStorageVersion && !resource.Registry.IsCustom ? resource.Registry.Envelope.Length : 0;
        var size = 256 + page.Items.Sum(i => i.Json.Length + 1);
        var buffer = new ArrayBufferWriter<byte>(size);
        WriteHead(buffer, resource, page);
        var first = true;
        foreach (var item in page.Items)
        {
            if (!first)
            {
                buffer.Write(","u8);
            }

            first = false;
            WriteItem(buffer, resource, item.Json, envelope);
        }

        buffer.Write(s_end);
        return buffer.WrittenMemory;
    }

    /// <summary>Lists of custom objects have continue even where it is empty.</summary>
    private static void WriteMetadata(ArrayBufferWriter<byte> buffer, ServedResource resource, ListMeta metadata)
    {
        if (!resource.Registry.IsCustom)
        {
            ApiJson.Write(buffer, metadata);
            return;
        }

        var tree = ApiJson.ToTree(metadata);
        tree.TryAdd("continue", "");
        buffer.Write(ApiJson.SerializeTree(tree));
    }

    private static void WriteItem(ArrayBufferWriter<byte> buffer, ServedResource resource, ReadOnlyMemory<byte> json, int envelope)
    {
        if (envelope > 0 && json.Span.StartsWith(resource.Registry.Envelope.Span))
        {
            buffer.Write("{"u8);
            buffer.Write(json.Span[envelope..]);
            return;
        }

        if (resource.Registry.IsCustom)
        {
            buffer.Write(json.Span);
            return;
        }

        var value = VersionConversion.Convert((KubeObject)ApiJson.Deserialize(resource.Registry.Storage.Type, json.Span), resource.Registry.Storage, resource.Info);
        value.Kind = "";
        value.ApiVersion = "";
        ApiJson.Write(buffer, value);
    }
}

/// <summary>One page of a list.</summary>
internal sealed record ListPage(List<CachedObject> Items, ListMeta Metadata);
