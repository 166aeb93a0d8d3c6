using Hardway.Api;
using Hardway.ApiServer.Aggregation;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Microsoft.AspNetCore.Http;

namespace Hardway.ApiServer.OpenApi;

/// <summary>
/// /openapi/v3, its documents by group version, and /openapi/v2, each in JSON or protobuf. A document asked for by its hash may be kept for ever. The documents
/// are kept until the custom resources change.
/// </summary>
internal sealed class OpenApiHandler(ResourceScheme scheme, AggregatedApis apis)
{
    private const string Protobuf = "application/com.github.proto-openapi.spec.";
    private volatile Made? _made;

    public async Task<bool> TryHandleAsync(RequestContext context)
    {
        var path = context.Info.Path;
        if (path == "/openapi/v2")
        {
            await WriteAsync(context, Documents().V2(), "v2").ConfigureAwait(false);
            return true;
        }

        if (path is "/openapi/v3" or "/openapi/v3/")
        {
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.BodyWriter.WriteAsync(Index(), context.Aborted).ConfigureAwait(false);
            return true;
        }

        if (!path.StartsWith("/openapi/v3/", StringComparison.Ordinal))
        {
            return false;
        }

        if (Documents().V3(path["/openapi/v3/".Length..]) is not { } document)
        {
            context.Response.StatusCode = 404;
            return true;
        }

        if (!IsElsewhere(context, document.Hash))
        {
            await WriteAsync(context, document, "v3").ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>This server's documents, and those of other servers where they have any.</summary>
    private byte[] Index()
    {
        var own = Documents().Index().Json;
        var others = apis.Remotes.Select(s => (Path: $"apis/{s.Spec.Group}/{s.Spec.Version}", Url: apis.DiscoveryOf(s)?.OpenApi)).Where(o => o.Url is { Length: > 0 }).ToList();
        if (others.Count == 0)
        {
            return own;
        }

        var tree = (Dictionary<string, object?>)ApiJson.DeserializeTree(own)!;
        var paths = (Dictionary<string, object?>)tree["paths"]!;
        foreach (var (path, url) in others)
        {
            paths[path] = new Dictionary<string, object?>(StringComparer.Ordinal) { ["serverRelativeURL"] = url };
        }

        return ApiJson.SerializeTree(tree);
    }

    /// <summary>A hash that is no longer true leads to the one that is.</summary>
    private static bool IsElsewhere(RequestContext context, string hash)
    {
        var asked = context.Request.Query["hash"].ToString();
        if (asked.Length == 0)
        {
            return false;
        }

        if (asked != hash)
        {
            context.Response.StatusCode = 301;
            context.Response.Headers.Location = context.Info.Path + "?hash=" + hash;
            return true;
        }

        context.Response.Headers.CacheControl = "public, immutable";
        context.Response.Headers.Expires = context.ReceivedAt.AddYears(1).ToString("R", System.Globalization.CultureInfo.InvariantCulture);
        return false;
    }

    private static async Task WriteAsync(RequestContext context, OpenApiDocument document, string version)
    {
        var inProtobuf = WantsProtobuf(context.Request, version);
        var tag = "\"" + document.Hash + (inProtobuf ? "-protobuf\"" : "\"");
        context.Response.Headers.ETag = tag;
        context.Response.Headers.Vary = "Accept";
        if (context.Request.Headers.IfNoneMatch.ToString() == tag)
        {
            context.Response.StatusCode = 304;
            return;
        }

        await (inProtobuf
            ? ResponseWriter.WriteBytesAsync(context, 200, document.Protobuf, $"{Protobuf}{version}.v1.0+protobuf")
            : ResponseWriter.WriteJsonAsync(context, 200, document.Json)).ConfigureAwait(false);
    }

    /// <summary>The first that is known of what the client accepts.</summary>
    private static bool WantsProtobuf(HttpRequest request, string version)
    {
        var accept = request.Headers.Accept.ToString();
        foreach (var part in accept.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var type = part.Split(';', 2)[0].Trim();
            if (type == $"{Protobuf}{version}@v1.0+protobuf" || type == $"{Protobuf}{version}.v1.0+protobuf")
            {
                return true;
            }

            if (type is "application/json" or "application/*" or "*/*")
            {
                return false;
            }
        }

        return accept.Length == 0 ? false : throw Statuses.NotAcceptable($"only the following media types are accepted: application/json, {Protobuf}{version}@v1.0+protobuf", details: true);
    }

    private OpenApiDocuments Documents()
    {
        var custom = scheme.Custom;
        if (_made is { } made && ReferenceEquals(made.For, custom))
        {
            return made.Documents;
        }

        var documents = new OpenApiDocuments([.. scheme.All.Select(r => r.Info)], new CustomSchemas(custom.Served));
        _made = new Made(custom, documents);
        return documents;
    }

    private sealed record Made(CustomResources For, OpenApiDocuments Documents);
}
