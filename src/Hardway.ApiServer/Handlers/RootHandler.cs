using Hardway.Api;
using Hardway.ApiServer.Aggregation;
using Hardway.ApiServer.Authentication.ServiceAccounts;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.OpenApi;
using Hardway.ApiServer.Serving;
using Hardway.Hosting;

namespace Hardway.ApiServer.Handlers;

/// <summary>All paths that are no resources: health, metrics, version, discovery, OpenAPI, OIDC documents, and the list of them at /.</summary>
internal sealed class RootHandler(ApiServices services, OpenIdDocuments? openId, OpenApiHandler openApi, AggregatedApis apis)
{
    private static readonly string[] s_paths =
        ["/api", "/api/v1", "/apis", "/healthz", "/livez", "/readyz", "/metrics", "/openapi/v2", "/openapi/v3", "/version", OpenIdDocuments.ConfigurationPath, OpenIdDocuments.KeysPath];

    private readonly DiscoveryHandler _discovery = new(services, apis);
    private readonly MetricsEndpoint _metrics = new(services);

    public async Task HandleAsync(RequestContext context)
    {
        if (await services.Health.TryHandleAsync(context.Http).ConfigureAwait(false) || await _discovery.TryHandleAsync(context).ConfigureAwait(false) || await openApi.TryHandleAsync(context).ConfigureAwait(false))
        {
            return;
        }

        switch (context.Info.Path.TrimEnd('/'))
        {
            case "":
                await ResponseWriter.WriteJsonAsync(context, 200, ApiJson.SerializeTree(new Dictionary<string, object?> { ["paths"] = Paths() })).ConfigureAwait(false);
                break;
            case "/version":
                await ResponseWriter.WriteJsonAsync(context, 200, JsonText.Indent(ApiJson.SerializeTree(Version()))).ConfigureAwait(false);
                break;
            case "/metrics":
                await _metrics.HandleAsync(context).ConfigureAwait(false);
                break;
            case OpenIdDocuments.ConfigurationPath when openId is not null:
                await WriteAsync(context, openId.Configuration, OpenIdDocuments.ConfigurationType).ConfigureAwait(false);
                break;
            case OpenIdDocuments.KeysPath when openId is not null:
                await WriteAsync(context, openId.Keys, OpenIdDocuments.KeysType).ConfigureAwait(false);
                break;
            default:
                throw Statuses.PageNotFound();
        }
    }

    private List<object?> Paths() =>
        [.. s_paths.Concat(services.Scheme.All.Where(r => r.Info.Group.Length > 0).SelectMany(r => new[] { "/apis/" + r.Info.Group, r.Info.BasePath })).Distinct().Order(StringComparer.Ordinal)];

    private static Dictionary<string, object?> Version() => new()
    {
        ["major"] = HardwayVersion.Major,
        ["minor"] = HardwayVersion.Minor,
        ["emulationMajor"] = HardwayVersion.Major,
        ["emulationMinor"] = HardwayVersion.Minor,
        ["minCompatibilityMajor"] = HardwayVersion.Major,
        ["minCompatibilityMinor"] = "35",
        ["gitVersion"] = HardwayVersion.GitVersion,
        ["gitCommit"] = "",
        ["gitTreeState"] = "clean",
        ["buildDate"] = "1970-01-01T00:00:00Z",
        ["goVersion"] = $"dotnet{Environment.Version}",
        ["compiler"] = "roslyn",
        ["platform"] = "linux/amd64",
    };

    private static Task WriteAsync(RequestContext context, byte[] body, string type)
    {
        if (!Negotiation.Accepts(context.Request, type))
        {
            throw Statuses.NotAcceptable($"only the following media types are accepted: {type}");
        }

        context.Response.ContentType = type;
        context.Response.Headers.CacheControl = "public, max-age=3600";
        return context.Response.BodyWriter.WriteAsync(body, context.Aborted).AsTask();
    }
}
