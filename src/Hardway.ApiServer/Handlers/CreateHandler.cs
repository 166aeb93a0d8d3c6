using Hardway.Api;
using Hardway.ApiServer.Admission;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;

namespace Hardway.ApiServer.Handlers;

/// <summary>POST to a collection, and to what only answers creates.</summary>
internal sealed class CreateHandler(ApiServices services)
{
    public async Task HandleAsync(RequestContext context, ServedResource resource)
    {
        var negotiation = Negotiation.Of(context.Request, resource.Offer);
        var options = WriteOptions.Read(context, "CreateOptions");
        var value = await BodyDecoder.ReadObjectAsync(context, resource, options.Validation).ConfigureAwait(false);
        context.RequestObject = value;
        value = VersionConversion.ToStorage(resource, value);
        var written = await services.Create.RunAsync(new CreateRequest(resource, context.Info.Namespace, value)
        {
            User = context.User,
            Context = context,
            DryRun = options.DryRun,
            FieldManager = options.FieldManager,
            Options = new Hardway.Api.Meta.V1.CreateOptions { FieldManager = options.FieldManager, DryRun = options.DryRun ? ["All"] : null },
        }, context.Aborted).ConfigureAwait(false);
        context.ResponseObject = written.Value;
        await ObjectResponse.WriteAsync(context, services, resource, 201, written.Json, negotiation, written.Value).ConfigureAwait(false);
    }

    /// <summary>A resource or subresource that keeps nothing.</summary>
    public async Task HandleVirtualAsync(RequestContext context, ResourceInfo resource, TypeSchema type, IVirtualResource handler)
    {
        var negotiation = Negotiation.Of(context.Request, Offer.Yaml | Offer.Protobuf);
        var options = WriteOptions.Read(context, "CreateOptions");
        var value = await BodyDecoder.ReadAsync(context, type, options.Validation).ConfigureAwait(false);
        context.RequestObject = value;
        SchemaDefaults.Apply(value);
        handler.Default(value);
        if (value is KubeObject named && resource.Namespaced && context.Info.Namespace.Length > 0)
        {
            if (named.Metadata.Namespace.Length > 0 && named.Metadata.Namespace != context.Info.Namespace)
            {
                throw Statuses.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
            }

            named.Metadata.Namespace = context.Info.Namespace;
        }

        if (value is KubeObject owned && options.FieldManager.Length > 0)
        {
            services.Parts.Ownership.Own(type, owned, options.FieldManager, handler.Subresource);
        }

        var attributes = new AdmissionAttributes
        {
            Operation = AdmissionOperation.Create,
            Group = resource.Group,
            Version = resource.Version,
            Resource = resource.Plural,
            Subresource = handler.Subresource,
            Kind = type.Kind,
            Namespace = context.Info.Namespace,
            Name = context.Info.Name,
            Object = value,
            User = context.User,
            DryRun = options.DryRun,
            Context = context,
        };
        await services.Parts.Admission.AdmitAsync(attributes, context.Aborted).ConfigureAwait(false);
        await services.Parts.Admission.ValidateAsync(attributes, context.Aborted).ConfigureAwait(false);
        var answer = await handler.CreateAsync(context, value, options.DryRun, context.Aborted).ConfigureAwait(false);
        context.ResponseObject = answer;
        await ResponseWriter.WriteAsync(context, 201, answer, negotiation.Media).ConfigureAwait(false);
    }
}
