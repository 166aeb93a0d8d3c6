using Hardway.Api;
using Hardway.Api.FieldManagement;
using Hardway.Api.Patching;
using Hardway.ApiServer.Custom;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;

namespace Hardway.ApiServer.Handlers;

/// <summary>PATCH: json, merge, strategic merge and apply. The patch is applied to the object's tree in the version that the client speaks.</summary>
internal sealed class PatchHandler(ApiServices services)
{
    private const string JsonType = "application/json-patch+json";
    private const string MergeTypeName = "application/merge-patch+json";
    private const string StrategicType = "application/strategic-merge-patch+json";
    private const string ApplyType = "application/apply-patch+yaml";

    public async Task HandleAsync(RequestContext context, ServedResource resource, string subresource)
    {
        var type = RequestBody.Type(context.Request);
        if (type is not (JsonType or MergeTypeName or StrategicType or ApplyType) || (type == StrategicType && resource.Registry.IsCustom))
        {
            throw Statuses.UnsupportedMediaType("the body of the request was in an unknown format - accepted media types include: "
                + string.Join(", ", resource.Registry.IsCustom ? [JsonType, MergeTypeName, ApplyType] : new[] { JsonType, MergeTypeName, StrategicType, ApplyType }),
                resource.Registry.IsCustom ? null : new Hardway.Api.Meta.V1.StatusDetails());
        }

        var negotiation = Negotiation.Of(context.Request, resource.Offer);
        var options = WriteOptions.Read(context, "PatchOptions");
        CheckOptions(context, options, type == ApplyType);
        var body = await RequestBody.ReadAsync(context).ConfigureAwait(false);
        var patch = ReadPatch(context, type, body, options);
        var isApply = type == ApplyType;
        var isCreate = false;
        KubeObject Patched(KubeObject? current)
        {
            var before = current is null ? null : ApiJson.ToTree(VersionConversion.Convert(current, resource.Registry.Storage, resource.Info));
            var tree = isApply ? Apply(context, resource, before, (Dictionary<string, object?>)patch!, options, subresource) : Patch(resource, before!, patch, type, context.Info.Name);
            CheckEnvelope(resource, tree, isApply);
            var value = BodyDecoder.FromTree(context, resource, tree, options.Validation, problems => Refuse(isApply, problems));
            CheckIdentity(context, value);
            return VersionConversion.ToStorage(resource, value);
        }

        var written = await services.Update.RunAsync(new UpdateRequest(resource, context.Info.Namespace, context.Info.Name, current => ValueTask.FromResult(Patched(current)))
        {
            User = context.User,
            Context = context,
            DryRun = options.DryRun,
            FieldManager = isApply ? "" : options.FieldManager,
            Subresource = subresource,
            Create = isApply && subresource.Length == 0
                ? () =>
                {
                    isCreate = true;
                    return ValueTask.FromResult(Patched(null));
                }
                : null,
            Options = new Hardway.Api.Meta.V1.PatchOptions { FieldManager = options.FieldManager, DryRun = options.DryRun ? ["All"] : null, Force = isApply ? options.Force : null },
        }, context.Aborted).ConfigureAwait(false);
        context.ResponseObject = written.Value;
        await ObjectResponse.WriteAsync(context, services, resource, isCreate && written.Created ? 201 : 200, written.Json, negotiation, written.Value).ConfigureAwait(false);
    }

    private static void CheckOptions(RequestContext context, WriteOptions options, bool isApply)
    {
        var errors = new ErrorList();
        if (isApply && context.Request.Query["fieldManager"].ToString().Length == 0)
        {
            errors.Required(FieldPath.Of("fieldManager"), "is required for apply patch");
        }

        if (!isApply && options.Force is not null)
        {
            errors.Forbidden(FieldPath.Of("force"), "may not be specified for non-apply patch");
        }

        if (errors.Any)
        {
            throw Statuses.Invalid("meta.k8s.io", "PatchOptions", "", errors);
        }
    }

    private static object? ReadPatch(RequestContext context, string type, ReadOnlyMemory<byte> body, WriteOptions options)
    {
        var report = options.Validation == FieldValidation.Ignore ? null : new DecodeReport();
        object? tree;
        try
        {
            tree = ApiJson.DeserializeTree(type == ApplyType ? RequestBody.FromYaml(body).Span : body.Span, report);
        }
        catch (ApiDecodeException e)
        {
            throw Statuses.BadRequest("error decoding patch: " + e.Message);
        }

        if (type == JsonType ? tree is not List<object?> : tree is not Dictionary<string, object?>)
        {
            throw Statuses.BadRequest("error decoding patch: expected " + (type == JsonType ? "a list of operations" : "an object"));
        }

        if (type != JsonType)
        {
            BodyDecoder.Report(context, report, options.Validation);
        }

        return tree;
    }

    private static Dictionary<string, object?> Patch(ServedResource resource, Dictionary<string, object?> before, object? patch, string type, string name)
    {
        try
        {
            return type switch
            {
                JsonType => JsonPatch.Apply(before, patch),
                MergeTypeName => MergePatch.Apply(before, patch),
                _ => StrategicMergePatch.Apply(resource.Info.Type, before, (Dictionary<string, object?>)patch!),
            } as Dictionary<string, object?> ?? throw Statuses.BadRequest("the patch leaves no object");
        }
        catch (PatchException e)
        {
            throw e.Fault switch
            {
                PatchFault.TooLarge => Statuses.TooLarge(e.Message),
                PatchFault.Unfit => Statuses.Make(422, StatusReason.Invalid, "the server rejected our request due to an error in our request: " + e.Message, new Hardway.Api.Meta.V1.StatusDetails()),
                PatchFault.Inconsistent => Statuses.Plain($"{resource.Info.Plural} \"{name}\": {e.Message}"),
                _ => Statuses.BadRequest(e.Message),
            };
        }
    }

    private Dictionary<string, object?> Apply(RequestContext context, ServedResource resource, Dictionary<string, object?>? live, Dictionary<string, object?> config, WriteOptions options, string subresource)
    {
        var metadata = config.GetValueOrDefault("metadata") as Dictionary<string, object?>;
        if (metadata?.ContainsKey("managedFields") == true)
        {
            throw Statuses.BadRequest("metadata.managedFields must be nil");
        }

        if (config.GetValueOrDefault("kind") as string is not { Length: > 0 } kind || config.GetValueOrDefault("apiVersion") as string is not { Length: > 0 } version)
        {
            throw Statuses.BadRequest("an applied configuration needs kind and apiVersion");
        }

        if (kind != resource.Info.Kind || version != resource.Info.ApiVersion)
        {
            throw Statuses.BadRequest($"the applied configuration is a {kind} of {version}, and the URL is of {resource.Info.Kind} of {resource.Info.ApiVersion}");
        }

        if (metadata?.GetValueOrDefault("uid") is string { Length: > 0 } uid && live is null)
        {
            throw Statuses.Conflict(resource.Info.Group, resource.Info.Plural, context.Info.Name, $"uid mismatch: the provided object specified uid {uid}, and no existing object was found");
        }

        if (metadata?.GetValueOrDefault("resourceVersion") is string { Length: > 0 } asked && live is null)
        {
            throw Statuses.Conflict(resource.Info.Group, resource.Info.Plural, context.Info.Name, $"the object with resourceVersion {asked} does not exist");
        }

        CheckUnknown(context, resource, config, options);
        try
        {
            var merged = services.Parts.Ownership.Apply(resource, live, config, options.FieldManager, subresource, options.Force == true);
            if (live is null && merged.GetValueOrDefault("metadata") is Dictionary<string, object?> made)
            {
                made.TryAdd("name", context.Info.Name);
            }

            return merged;
        }
        catch (ApplyConflictException e)
        {
            var error = Statuses.Make(409, StatusReason.Conflict, e.Message, new Hardway.Api.Meta.V1.StatusDetails
            {
                Causes = [.. e.Conflicts.Select(c => new Hardway.Api.Meta.V1.StatusCause { Reason = CauseReason.FieldManagerConflict, Message = $"conflict with {c.Owner}", Field = c.Path })],
            });
            throw error;
        }
        catch (ApplyException e)
        {
            throw Statuses.Plain(e.Message);
        }
    }

    /// <summary>A field that the schema does not know cannot be owned: 500, as upstream answers, whatever fieldValidation says.</summary>
    private static void CheckUnknown(RequestContext context, ServedResource resource, Dictionary<string, object?> config, WriteOptions options)
    {
        _ = options;
        if (resource.Registry.Custom is { } custom)
        {
            var gone = new List<string>();
            SchemaShape.PruneRoot((Dictionary<string, object?>)ApiValues.CloneTree(config)!, custom.Schema, gone);
            if (gone.Count > 0)
            {
                throw Untyped(context, resource, string.Join(", ", gone.Select(p => $".{p}: field not declared in schema")));
            }

            return;
        }

        var report = new DecodeReport();
        try
        {
            ApiJson.FromTree(resource.Info.Type, config, report);
        }
        catch (ApiDecodeException e)
        {
            throw Untyped(context, resource, e.Message);
        }

        if (report.Unknown.Count > 0)
        {
            throw Untyped(context, resource, string.Join(", ", report.Unknown.Select(p => $".{p}: field not declared in schema")));
        }
    }

    private static ApiException Untyped(RequestContext context, ServedResource resource, string why) =>
        Statuses.Plain($"failed to create typed patch object ({context.Info.Namespace}/{context.Info.Name}; {resource.Info.ApiVersion}, Kind={resource.Info.Kind}): {why}");

    private static void CheckEnvelope(ServedResource resource, Dictionary<string, object?> tree, bool isApply)
    {
        var kind = tree.GetValueOrDefault("kind") as string ?? resource.Info.Kind;
        var version = tree.GetValueOrDefault("apiVersion") as string ?? resource.Info.ApiVersion;
        if (kind != resource.Info.Kind || version != resource.Info.ApiVersion)
        {
            throw Refuse(isApply, $"a patch cannot make a {resource.Info.Kind} of {resource.Info.ApiVersion} a {kind} of {version}");
        }
    }

    private static void CheckIdentity(RequestContext context, KubeObject value)
    {
        if (value.Metadata.Name.Length > 0 && value.Metadata.Name != context.Info.Name)
        {
            throw Statuses.BadRequest($"the name of the object ({value.Metadata.Name}) does not match the name on the URL ({context.Info.Name})");
        }
    }

    /// <summary>What a patch makes cannot be read as its kind. Upstream blames the patch, and tells of no object.</summary>
    private static ApiException Refuse(bool isApply, string problem)
    {
        if (isApply)
        {
            return Statuses.BadRequest(problem);
        }

        var errors = new ErrorList();
        errors.Invalid(FieldPath.Of("patch"), "", problem);
        return Statuses.Invalid("", "", "", errors);
    }
}
