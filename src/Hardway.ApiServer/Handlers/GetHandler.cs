using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;

namespace Hardway.ApiServer.Handlers;

/// <summary>GET of one object.</summary>
internal sealed class GetHandler(ApiServices services)
{
    public async Task HandleAsync(RequestContext context, ServedResource resource)
    {
        var info = context.Info;
        var negotiation = Negotiation.Of(context.Request, resource.Offer);
        var version = context.Request.Query["resourceVersion"].ToString();
        var found = await services.Objects.GetAsync(resource.Registry, info.Namespace, info.Name, version, context.Aborted).ConfigureAwait(false)
            ?? throw Statuses.NotFound(resource.Info.Group, resource.Info.Plural, info.Name);
        await ObjectResponse.WriteAsync(context, services, resource, 200, found.Json, negotiation, cached: found).ConfigureAwait(false);
    }
}
