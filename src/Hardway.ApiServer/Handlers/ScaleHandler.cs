using Hardway.Api;
using Hardway.Api.Autoscaling.V1;
using Hardway.Api.FieldManagement;
using Hardway.Api.Patching;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;

namespace Hardway.ApiServer.Handlers;

/// <summary>The scale subresource of kinds that have spec.replicas: read, replaced and patched as a Scale.</summary>
internal sealed class ScaleHandler(ApiServices services)
{
    public async Task GetAsync(RequestContext context, ServedResource resource)
    {
        var negotiation = Negotiation.Of(context.Request, Offer.Yaml | Offer.Protobuf);
        var found = await services.Objects.GetAsync(resource.Registry, context.Info.Namespace, context.Info.Name, context.Request.Query["resourceVersion"].ToString(), context.Aborted).ConfigureAwait(false)
            ?? throw Statuses.NotFound(resource.Info.Group, resource.Info.Plural, context.Info.Name);
        await ResponseWriter.WriteAsync(context, 200, ScaleView.Of(ObjectStore.Decode(resource.Registry, found), resource), negotiation.Media).ConfigureAwait(false);
    }

    public async Task UpdateAsync(RequestContext context, ServedResource resource)
    {
        var options = WriteOptions.Read(context, "UpdateOptions");
        var body = (Scale)await BodyDecoder.ReadAsync(context, Scale.TypeSchema, options.Validation).ConfigureAwait(false);
        await RunAsync(context, resource, options, _ => body).ConfigureAwait(false);
    }

    public async Task PatchAsync(RequestContext context, ServedResource resource)
    {
        var type = RequestBody.Type(context.Request);
        var options = WriteOptions.Read(context, "PatchOptions");
        var body = await RequestBody.ReadAsync(context).ConfigureAwait(false);
        var json = type == "application/apply-patch+yaml" ? RequestBody.FromYaml(body) : body;
        object? patch;
        try
        {
            patch = ApiJson.DeserializeTree(json.Span);
        }
        catch (ApiDecodeException e)
        {
            throw Statuses.BadRequest("error decoding patch: " + e.Message);
        }

        await RunAsync(context, resource, options, current => Patched(context, ApiJson.ToTree(current), patch, type)).ConfigureAwait(false);
    }

    private static Scale Patched(RequestContext context, Dictionary<string, object?> tree, object? patch, string type)
    {
        try
        {
            var patched = type switch
            {
                "application/json-patch+json" => JsonPatch.Apply(tree, patch),
                "application/merge-patch+json" or "application/apply-patch+yaml" => MergePatch.Apply(tree, patch),
                "application/strategic-merge-patch+json" when patch is Dictionary<string, object?> map => StrategicMergePatch.Apply(Scale.TypeSchema, tree, map),
                _ => throw Statuses.UnsupportedMediaType($"a scale cannot be patched by {type}"),
            };
            return (Scale)ApiJson.FromTree(Scale.TypeSchema, patched);
        }
        catch (Exception e) when (e is PatchException or ApiDecodeException)
        {
            throw Statuses.BadRequest($"{context.Info.Name}: {e.Message}");
        }
    }

    private async Task RunAsync(RequestContext context, ServedResource resource, WriteOptions options, Func<Scale, Scale> change)
    {
        var negotiation = Negotiation.Of(context.Request, Offer.Yaml | Offer.Protobuf);
        var info = context.Info;
        KubeObject Changed(KubeObject current)
        {
            var scale = change(ScaleView.Of(current, resource));
            if (scale.Metadata.Name.Length > 0 && scale.Metadata.Name != info.Name)
            {
                throw Statuses.BadRequest($"the name of the object ({scale.Metadata.Name}) does not match the name on the URL ({info.Name})");
            }

            if (scale.Spec.Replicas < 0 && !resource.Registry.IsCustom)
            {
                var errors = new ErrorList();
                errors.Invalid(FieldPath.Spec.Child("replicas"), scale.Spec.Replicas, "must be greater than or equal to 0");
                throw Statuses.Invalid("autoscaling", "Scale", info.Name, errors);
            }

            var value = (KubeObject)current.DeepClone();
            value.Metadata.ResourceVersion = scale.Metadata.ResourceVersion;
            if (scale.Metadata.Uid.Length > 0 && scale.Metadata.Uid != value.Metadata.Uid)
            {
                throw Statuses.Conflict(resource.Info.Group, resource.Info.Plural, info.Name, $"Precondition failed: UID in precondition: {scale.Metadata.Uid}, UID in object meta: {value.Metadata.Uid}");
            }

            ScaleView.SetReplicas(value, scale.Spec.Replicas, resource);
            return value;
        }

        var written = await services.Update.RunAsync(new UpdateRequest(resource, info.Namespace, info.Name, current => ValueTask.FromResult(Changed(current)))
        {
            User = context.User,
            Context = context,
            DryRun = options.DryRun,
            FieldManager = options.FieldManager,
            Subresource = "scale",
            AdmissionView = value => ScaleView.Of(value, resource),
        }, context.Aborted).ConfigureAwait(false);
        await ResponseWriter.WriteAsync(context, 200, ScaleView.Of(written.Value, resource), negotiation.Media).ConfigureAwait(false);
    }
}

/// <summary>A scalable object seen as a Scale, by the schema: spec.replicas, status.replicas and the selector.</summary>
internal static class ScaleView
{
    public static Scale Of(KubeObject value, ServedResource resource)
    {
        var meta = value.Metadata;
        var scale = new Scale
        {
            Metadata = new Hardway.Api.Meta.V1.ObjectMeta
            {
                Name = meta.Name,
                Namespace = meta.Namespace,
                Uid = meta.Uid,
                ResourceVersion = meta.ResourceVersion,
                CreationTimestamp = meta.CreationTimestamp,
            },
        };
        if (resource.Registry.Custom?.Scale is { } custom)
        {
            var rest = value.Rest!;
            scale.Spec.Replicas = (int)(custom.SpecReplicas(rest) ?? throw Statuses.Internal($"the spec replicas field \"{custom.SpecPath}\" does not exist"));
            scale.Status.Replicas = (int)custom.StatusReplicas(rest);
            scale.Status.Selector = custom.Selector(rest);
            return scale;
        }

        var spec = Part(value, "spec");
        scale.Spec.Replicas = Number(spec, "replicas");
        scale.Status.Replicas = Number(Part(value, "status"), "replicas");
        scale.Status.Selector = SelectorText(spec);
        return scale;
    }

    public static void SetReplicas(KubeObject value, int replicas, ServedResource resource)
    {
        if (resource.Registry.Custom?.Scale is { } custom)
        {
            custom.SetReplicas(value.Rest!, replicas);
            return;
        }

        var field = value.StructSchema.Field("spec")!;
        var spec = (ApiStruct?)value.Get(field.Ordinal);
        if (spec is null)
        {
            value.Set(field.Ordinal, spec = field.Shape.Type.NewBare());
        }

        spec.Set(spec.StructSchema.Field("replicas")!.Ordinal, replicas);
    }

    private static ApiStruct? Part(KubeObject value, string name) =>
        value.StructSchema.Field(name) is { } field ? value.Get(field.Ordinal) as ApiStruct : null;

    private static int Number(ApiStruct? part, string name) =>
        part?.StructSchema.Field(name) is { } field && part.Get(field.Ordinal) is int number ? number : 0;

    private static string SelectorText(ApiStruct? spec) => (spec?.StructSchema.Field("selector") is { } field ? spec.Get(field.Ordinal) : null) switch
    {
        Hardway.Api.Meta.V1.LabelSelector selector => Selector.From(selector).ToString(),
        Dictionary<string, string> map => Selector.FromMap(map).ToString(),
        _ => "",
    };
}
