using Hardway.Api;
using Hardway.ApiServer.Custom;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Handlers;

/// <summary>Bodies that are custom objects: they say what they are, and their schema says what is in them.</summary>
internal static class CustomBody
{
    public static KubeObject Decode(RequestContext context, CustomVersion version, ReadOnlyMemory<byte> json, FieldValidation validation)
    {
        var info = version.Info;
        if (json.Length == 0)
        {
            throw Statuses.BadRequest($"the body of the request is empty; expected a {info.Kind}");
        }

        var report = validation == FieldValidation.Ignore ? null : new DecodeReport();
        KubeObject value;
        try
        {
            value = (KubeObject)info.Type.NewBare();
            ApiJson.Read(value, json.Span, report);
        }
        catch (ApiDecodeException e)
        {
            throw Statuses.BadRequest($"{info.Kind} in version \"{info.Version}\" cannot be handled as a {info.Kind}: {e.Message}");
        }

        CheckKind(value, info);
        Shape(version, value, report);
        BodyDecoder.Report(context, report, validation);
        return value;
    }

    /// <summary>Prunes and defaults; what has gone is reported.</summary>
    public static void Shape(CustomVersion version, KubeObject value, DecodeReport? report)
    {
        var gone = report is null ? null : new List<string>();
        version.Shape(value, gone);
        report?.AddUnknown(gone!.Order(StringComparer.Ordinal));
    }

    private static void CheckKind(KubeObject value, ResourceInfo info)
    {
        if (value.Kind.Length == 0)
        {
            throw Statuses.BadRequest("Object 'Kind' is missing in the body");
        }

        if (value.ApiVersion != info.ApiVersion)
        {
            throw Statuses.BadRequest($"the API version in the data ({value.ApiVersion}) does not match the expected API version ({info.ApiVersion})");
        }

        if (value.Kind != info.Kind)
        {
            var errors = new ErrorList();
            errors.Invalid(FieldPath.Of("kind"), value.Kind, "must be " + info.Kind);
            throw Statuses.Invalid(info.Group, value.Kind, value.Metadata.Name, errors);
        }
    }
}
