using Hardway.Api;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;

namespace Hardway.ApiServer.Handlers;

/// <summary>DELETE of one object, and of a collection.</summary>
internal sealed class DeleteHandler(ApiServices services, ListHandler lists)
{
    private const int AtOnce = 8;

    public async Task HandleAsync(RequestContext context, ServedResource resource)
    {
        var negotiation = Negotiation.Of(context.Request, resource.Offer);
        var options = await ReadOptionsAsync(context).ConfigureAwait(false);
        var deletion = await services.Delete.RunAsync(Request(context, resource, context.Info.Namespace, context.Info.Name, options), context.Aborted).ConfigureAwait(false);
        context.ResponseObject = deletion.Value;
        if (deletion.Gone && !resource.Rules.ReturnsDeletedObject)
        {
            var status = Statuses.Success(resource.Info.Group, resource.Info.Plural, context.Info.Name, deletion.Value.Metadata.Uid);
            await ResponseWriter.WriteAsync(context, 200, status, negotiation.Media).ConfigureAwait(false);
            return;
        }

        var code = !deletion.Gone && options.OrphanDependents == false ? 202 : 200;
        await ObjectResponse.WriteAsync(context, services, resource, code, deletion.Json, negotiation, deletion.Value).ConfigureAwait(false);
    }

    public async Task HandleCollectionAsync(RequestContext context, ServedResource resource)
    {
        var negotiation = Negotiation.Of(context.Request, resource.Offer);
        var options = await ReadOptionsAsync(context).ConfigureAwait(false);
        var filter = ObjectFilter.Of(context, resource);
        var page = await lists.ReadAsync(context, resource, filter).ConfigureAwait(false);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = context.Aborted };
        await Parallel.ForEachAsync(page.Items, parallel, async (item, cancellationToken) =>
        {
            try
            {
                await services.Delete.RunAsync(Request(context, resource, item.Namespace, item.Name, options), cancellationToken).ConfigureAwait(false);
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                // Somebody else deleted it.
            }
        }).ConfigureAwait(false);
        await lists.WriteAsync(context, resource, page, negotiation).ConfigureAwait(false);
    }

    private static DeleteRequest Request(RequestContext context, ServedResource resource, string @namespace, string name, DeleteOptions options) => new(resource, @namespace, name, options)
    {
        User = context.User,
        Context = context,
        DryRun = options.DryRun is { Count: > 0 },
        Options = options,
    };

    /// <summary>From the body when there is one, else from the query.</summary>
    public static async Task<DeleteOptions> ReadOptionsAsync(RequestContext context)
    {
        if (RequestBody.IsProtobuf(context.Request) && await RequestBody.ReadAsync(context).ConfigureAwait(false) is { Length: > 0 } message)
        {
            return (DeleteOptions)BodyDecoder.DecodeProtobuf(DeleteOptions.TypeSchema, message);
        }

        var json = RequestBody.IsProtobuf(context.Request) ? default : await RequestBody.ReadJsonAsync(context).ConfigureAwait(false);
        if (json.Length > 0)
        {
            return (DeleteOptions)BodyDecoder.Decode(context, DeleteOptions.TypeSchema, json, FieldValidation.Ignore);
        }

        var query = context.Request.Query;
        var options = new DeleteOptions();
        if (query.TryGetValue("gracePeriodSeconds", out var grace))
        {
            options.GracePeriodSeconds = long.TryParse(grace, out var seconds) ? seconds : throw Statuses.BadRequest($"gracePeriodSeconds: \"{grace}\" is not a number");
        }

        if (query.TryGetValue("propagationPolicy", out var policy))
        {
            options.PropagationPolicy = policy.ToString();
        }

        if (query.TryGetValue("orphanDependents", out var orphan))
        {
            options.OrphanDependents = RequestInfoResolver.IsTrue(orphan);
        }

        if (query.TryGetValue("dryRun", out var dryRun))
        {
            options.DryRun = [.. dryRun.Select(d => d ?? "")];
        }

        return options;
    }
}
