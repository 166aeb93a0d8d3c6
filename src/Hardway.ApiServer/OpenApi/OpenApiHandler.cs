using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.OpenApi;

/// <summary>/openapi/v3, its documents by group version, and /openapi/v2. The documents are kept until the custom resources change.</summary>
internal sealed class OpenApiHandler(ResourceScheme scheme)
{
    private volatile Made? _made;

    public async Task<bool> TryHandleAsync(RequestContext context)
    {
        var path = context.Info.Path;
        if (path == "/openapi/v2")
        {
            await WriteAsync(context, Documents().V2()).ConfigureAwait(false);
            return true;
        }

        if (path is "/openapi/v3" or "/openapi/v3/")
        {
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.BodyWriter.WriteAsync(Documents().Index().Json, context.Aborted).ConfigureAwait(false);
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

        await WriteAsync(context, document).ConfigureAwait(false);
        return true;
    }

    private static async Task WriteAsync(RequestContext context, OpenApiDocument document)
    {
        var tag = "\"" + document.Hash + "\"";
        context.Response.Headers.ETag = tag;
        if (context.Request.Headers.IfNoneMatch.ToString() == tag)
        {
            context.Response.StatusCode = 304;
            return;
        }

        await ResponseWriter.WriteJsonAsync(context, 200, document.Json).ConfigureAwait(false);
    }

    private OpenApiDocuments Documents()
    {
        var custom = scheme.Custom;
        if (_made is { } made && ReferenceEquals(made.For, custom))
        {
            return made.Documents;
        }

        var documents = new OpenApiDocuments([.. scheme.All.Select(r => r.Info)]);
        _made = new Made(custom, documents);
        return documents;
    }

    private sealed record Made(CustomResources For, OpenApiDocuments Documents);
}
