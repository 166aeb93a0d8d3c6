using System.Collections.Concurrent;
using System.Security.Cryptography;
using Hardway.Api;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.OpenApi;

/// <summary>/openapi/v3, its documents by group version, and /openapi/v2: made when first asked for, kept until the custom resources change.</summary>
internal sealed class OpenApiHandler(ResourceScheme scheme)
{
    private readonly ConcurrentDictionary<string, (CustomResources For, byte[] Json, string Hash)> _documents = new(StringComparer.Ordinal);

    public async Task<bool> TryHandleAsync(RequestContext context)
    {
        var path = context.Info.Path;
        if (path == "/openapi/v2")
        {
            await WriteAsync(context, Document("v2", V2)).ConfigureAwait(false);
            return true;
        }

        if (path is "/openapi/v3" or "/openapi/v3/")
        {
            await ResponseWriter.WriteTextAsync(context, 200, System.Text.Encoding.UTF8.GetString(ApiJson.SerializeTree(Index())), "text/plain; charset=utf-8").ConfigureAwait(false);
            return true;
        }

        if (!path.StartsWith("/openapi/v3/", StringComparison.Ordinal))
        {
            return false;
        }

        var name = path["/openapi/v3/".Length..];
        var resources = ByGroupVersion().GetValueOrDefault(name);
        if (resources is null && !IsPlain(name))
        {
            context.Response.StatusCode = 404;
            return true;
        }

        await WriteAsync(context, Document(name, () => V3(resources ?? []))).ConfigureAwait(false);
        return true;
    }

    private static async Task WriteAsync(RequestContext context, (byte[] Json, string Hash) document)
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

    private (byte[] Json, string Hash) Document(string name, Func<Dictionary<string, object?>> make)
    {
        var custom = scheme.Custom;
        if (_documents.TryGetValue(name, out var known) && ReferenceEquals(known.For, custom))
        {
            return (known.Json, known.Hash);
        }

        var json = ApiJson.SerializeTree(make());
        var hash = Convert.ToHexString(SHA512.HashData(json));
        _documents[name] = (custom, json, hash);
        return (json, hash);
    }

    private Dictionary<string, object?> Index()
    {
        var paths = new SortedDictionary<string, object?>(StringComparer.Ordinal);
        var groupVersions = ByGroupVersion();
        var plain = new[] { ".well-known/openid-configuration", "api", "apis", "logs", "openid/v1/jwks", "version" }
            .Concat(groupVersions.Keys.Where(k => k.StartsWith("apis/", StringComparison.Ordinal)).Select(k => k[..k.LastIndexOf('/')])).Distinct();
        foreach (var name in groupVersions.Keys.Concat(plain))
        {
            var hash = Document(name, () => V3(groupVersions.GetValueOrDefault(name) ?? [])).Hash;
            paths[name] = SchemaWriter.Map(("serverRelativeURL", $"/openapi/v3/{name}?hash={hash}"));
        }

        return SchemaWriter.Map(("paths", SchemaWriter.Sorted(paths)));
    }

    private bool IsPlain(string name) => Array.IndexOf([".well-known/openid-configuration", "api", "apis", "openid/v1/jwks", "version"], name) >= 0
        || ByGroupVersion().Keys.Any(k => k.StartsWith(name + "/", StringComparison.Ordinal));

    private Dictionary<string, List<ServedResource>> ByGroupVersion()
    {
        var all = new Dictionary<string, List<ServedResource>>(StringComparer.Ordinal);
        foreach (var resource in scheme.All)
        {
            var name = resource.Info.BasePath[1..];
            (all.TryGetValue(name, out var list) ? list : all[name] = []).Add(resource);
        }

        return all;
    }

    private static Dictionary<string, object?> V3(IReadOnlyList<ServedResource> resources)
    {
        var schemas = new SchemaWriter(v3: true);
        var paths = new PathWriter(schemas);
        foreach (var resource in resources)
        {
            paths.Add(resource);
        }

        return SchemaWriter.Map(
            ("openapi", "3.0.0"),
            ("info", SchemaWriter.Map(("title", "Kubernetes"), ("version", Hardway.Hosting.HardwayVersion.GitVersion))),
            ("paths", SchemaWriter.Sorted(paths.Paths)),
            ("components", SchemaWriter.Map(("schemas", SchemaWriter.Sorted(schemas.Schemas)))));
    }

    private Dictionary<string, object?> V2()
    {
        var schemas = new SchemaWriter(v3: false);
        foreach (var resource in scheme.All)
        {
            schemas.Add(resource.Info.Type);
            if (resource.Info.ListType is { } list)
            {
                schemas.Add(list);
            }
        }

        schemas.Add(Hardway.Api.Meta.V1.DeleteOptions.TypeSchema);
        return SchemaWriter.Map(
            ("swagger", "2.0"),
            ("info", SchemaWriter.Map(("title", "Kubernetes"), ("version", Hardway.Hosting.HardwayVersion.GitVersion))),
            ("paths", SchemaWriter.Map()),
            ("definitions", SchemaWriter.Sorted(schemas.Schemas)));
    }
}
