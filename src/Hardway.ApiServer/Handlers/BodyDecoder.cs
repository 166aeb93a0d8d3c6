using Hardway.Api;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Handlers;

/// <summary>Turns a body into an object: its kind checked, unknown fields treated as the client asked, defaults filled in.</summary>
internal static class BodyDecoder
{
    /// <summary>Reads the request's body as the kind of the resource; in the version that the client speaks, without defaults.</summary>
    public static async Task<ApiStruct> ReadAsync(RequestContext context, TypeSchema type, FieldValidation validation)
    {
        // Types of custom resources have no numbers for their fields.
        if (RequestBody.IsProtobuf(context.Request) && ApiCatalog.FindType(type.FullName) == type)
        {
            return DecodeProtobuf(type, await RequestBody.ReadAsync(context).ConfigureAwait(false));
        }

        var repeated = validation == FieldValidation.Strict ? null : new List<string>();
        var json = await RequestBody.ReadJsonAsync(context, repeated).ConfigureAwait(false);
        foreach (var problem in validation == FieldValidation.Warn ? repeated ?? [] : [])
        {
            context.Warn(problem);
        }

        return Decode(context, type, json, validation);
    }

    public static ApiStruct Decode(RequestContext context, TypeSchema type, ReadOnlyMemory<byte> json, FieldValidation validation)
    {
        if (json.Length == 0)
        {
            throw Statuses.BadRequest($"the body of the request is empty; expected a {type.Kind}");
        }

        var report = validation == FieldValidation.Ignore ? null : new DecodeReport();
        ApiStruct value;
        try
        {
            value = ApiJson.Deserialize(type, json.Span, report);
        }
        catch (ApiDecodeException e)
        {
            throw Statuses.BadRequest($"{type.Kind} in version \"{type.Version}\" cannot be handled as a {type.Kind}: {e.Message}");
        }

        CheckKind(value, type);
        Report(context, report, validation);
        return value;
    }

    /// <summary>Reads the request's body as an object of the resource.</summary>
    public static async Task<KubeObject> ReadObjectAsync(RequestContext context, ServedResource resource, FieldValidation validation)
    {
        if (resource.Registry.Custom is not { } custom)
        {
            return (KubeObject)await ReadAsync(context, resource.Info.Type, validation).ConfigureAwait(false);
        }

        if (RequestBody.IsProtobuf(context.Request))
        {
            throw Statuses.UnsupportedMediaType("custom resources have no protobuf form; accepted media types include: application/json, application/yaml");
        }

        var json = await RequestBody.ReadJsonAsync(context).ConfigureAwait(false);
        return CustomBody.Decode(context, custom, json, validation);
    }

    /// <summary>Protobuf knows no unknown names: its fields are numbers.</summary>
    public static ApiStruct DecodeProtobuf(TypeSchema type, ReadOnlyMemory<byte> body)
    {
        try
        {
            var value = Hardway.Api.Protobuf.ApiProtobuf.Deserialize(type, body);
            CheckKind(value, type);
            return value;
        }
        catch (ApiDecodeException e)
        {
            throw Statuses.BadRequest($"the object provided is unrecognized (must be of type {type.Kind}): {e.Message}");
        }
    }

    /// <summary>An object that came from a tree (a patch): the same checks of unknown fields, but their answer is that of a patch.</summary>
    public static KubeObject FromTree(RequestContext context, ServedResource resource, Dictionary<string, object?> tree, FieldValidation validation, Func<string, ApiException> refuse)
    {
        var report = validation == FieldValidation.Ignore ? null : new DecodeReport();
        KubeObject value;
        try
        {
            value = (KubeObject)ApiJson.FromTree(resource.Info.Type, tree, report);
        }
        catch (ApiDecodeException e)
        {
            throw refuse($"{resource.Info.Kind} in version \"{resource.Info.Version}\" cannot be handled as a {resource.Info.Kind}: {e.Message}");
        }

        if (resource.Registry.Custom is { } custom)
        {
            CustomBody.Shape(custom, value, report);
        }

        if (report is { IsEmpty: false } && validation == FieldValidation.Strict)
        {
            throw refuse("strict decoding error: " + string.Join(", ", Problems(report)));
        }

        Report(context, report, validation);
        value.Kind = resource.Info.Kind;
        value.ApiVersion = resource.Info.ApiVersion;
        return value;
    }

    public static IEnumerable<string> Problems(DecodeReport report) =>
        report.Duplicate.Select(p => $"duplicate field \"{p}\"").Concat(report.Unknown.Select(p => $"unknown field \"{p}\""));

    public static void Report(RequestContext context, DecodeReport? report, FieldValidation validation)
    {
        if (report is null || report.IsEmpty)
        {
            return;
        }

        if (validation == FieldValidation.Strict)
        {
            throw Statuses.BadRequest("strict decoding error: " + string.Join(", ", Problems(report)));
        }

        foreach (var problem in Problems(report))
        {
            context.Warn(problem);
        }
    }

    private static void CheckKind(ApiStruct value, TypeSchema type)
    {
        if (type.Field("kind") is not { } kindField || type.Field("apiVersion") is not { } versionField)
        {
            return;
        }

        var kind = value.Get(kindField.Ordinal) as string ?? "";
        var version = value.Get(versionField.Ordinal) as string ?? "";
        if (kind.Length > 0 && kind != type.Kind)
        {
            throw Statuses.BadRequest($"{kind} in version \"{version}\" cannot be handled as a {type.Kind}: the object's kind is {kind}");
        }

        if (version.Length > 0 && version != type.ApiVersion && type.Kind is not "DeleteOptions")
        {
            throw Statuses.BadRequest($"the API version in the data ({version}) does not match the expected API version ({type.ApiVersion})");
        }

        value.Set(kindField.Ordinal, type.Kind);
        value.Set(versionField.Ordinal, type.ApiVersion);
    }
}
