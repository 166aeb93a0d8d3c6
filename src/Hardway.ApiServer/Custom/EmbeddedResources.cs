using Hardway.Api;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Custom;

/// <summary>Whole objects within an object (x-kubernetes-embedded-resource): they have kind, apiVersion and good metadata.</summary>
internal static class EmbeddedResources
{
    public static void Validate(object? value, StructuralSchema schema, FieldPath path, bool isRoot, ErrorList errors)
    {
        switch (value)
        {
            case Dictionary<string, object?> map:
                if (schema.IsEmbedded && !isRoot)
                {
                    Envelope(map, path, errors);
                }

                foreach (var (key, item) in map)
                {
                    if (schema.Field(key) is { } field)
                    {
                        Validate(item, field, schema.Properties.ContainsKey(key) ? path.Child(key) : path.Key(key), false, errors);
                    }
                }

                break;
            case List<object?> list when schema.Items is { } items:
                for (var i = 0; i < list.Count; i++)
                {
                    Validate(list[i], items, path.Index(i), false, errors);
                }

                break;
        }
    }

    private static void Envelope(Dictionary<string, object?> map, FieldPath path, ErrorList errors)
    {
        if (map.GetValueOrDefault("apiVersion") is not string { Length: > 0 } version)
        {
            errors.Required(path.Child("apiVersion"), "must not be empty");
        }
        else if (version.Count(c => c == '/') > 1)
        {
            errors.Invalid(path.Child("apiVersion"), version, "is no VERSION and no GROUP/VERSION");
        }

        if (map.GetValueOrDefault("kind") is not string { Length: > 0 } kind)
        {
            errors.Required(path.Child("kind"), "must not be empty");
        }
        else if (ObjectNames.Dns1035(kind.ToLowerInvariant()) is { } wrong)
        {
            errors.Invalid(path.Child("kind"), kind, wrong);
        }

        if (map.GetValueOrDefault("metadata") is not Dictionary<string, object?> metadata)
        {
            return;
        }

        try
        {
            var meta = (ObjectMeta)ApiJson.FromTree(ObjectMeta.TypeSchema, metadata);
            Rules.Names.CheckLabels(errors, path.Child("metadata", "labels"), meta.Labels);
        }
        catch (ApiDecodeException e)
        {
            errors.Invalid(path.Child("metadata"), "", e.Message);
        }
    }
}
