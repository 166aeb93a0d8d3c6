using Hardway.Api;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;

namespace Hardway.ApiServer.Handlers;

/// <summary>PUT of an object or of one of its subresources that has the object's own shape.</summary>
internal sealed class UpdateHandler(ApiServices services)
{
    public async Task HandleAsync(RequestContext context, ServedResource resource, string subresource)
    {
        var negotiation = Negotiation.Of(context.Request, resource.Offer);
        var options = WriteOptions.Read(context, "UpdateOptions");
        var body = await BodyDecoder.ReadObjectAsync(context, resource, options.Validation).ConfigureAwait(false);
        context.RequestObject = body;
        CheckName(context, body);
        var value = VersionConversion.ToStorage(resource, body);
        var written = await services.Update.RunAsync(new UpdateRequest(resource, context.Info.Namespace, context.Info.Name, _ => ValueTask.FromResult((KubeObject)value.DeepClone()))
        {
            User = context.User,
            Context = context,
            DryRun = options.DryRun,
            FieldManager = options.FieldManager,
            Subresource = subresource,
            IsReplace = true,
            Create = resource.Rules.AllowCreateOnUpdate && subresource.Length == 0 ? () => ValueTask.FromResult((KubeObject)value.DeepClone()) : null,
            Options = new Hardway.Api.Meta.V1.UpdateOptions { FieldManager = options.FieldManager, DryRun = options.DryRun ? ["All"] : null },
        }, context.Aborted).ConfigureAwait(false);
        context.ResponseObject = written.Value;
        await ObjectResponse.WriteAsync(context, services, resource, written.Created ? 201 : 200, written.Json, negotiation, written.Value).ConfigureAwait(false);
    }

    private static void CheckName(RequestContext context, KubeObject body)
    {
        if (body.Metadata.Name.Length == 0)
        {
            throw Statuses.BadRequest("the name of the object is missing in the body; it must be the one of the URL");
        }

        if (body.Metadata.Name != context.Info.Name)
        {
            throw Statuses.BadRequest($"the name of the object ({body.Metadata.Name}) does not match the name on the URL ({context.Info.Name})");
        }
    }
}
