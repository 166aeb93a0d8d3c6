using Hardway.Api;
using Hardway.ApiServer.Custom;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.ApiExtensions;

/// <summary>Defaults must be what the schema itself would let through: known fields only, right types, right values.</summary>
internal static class SchemaDefaultRules
{
    public static void Validate(StructuralSchema schema, FieldPath path, ErrorList errors, bool isRoot = true)
    {
        if (schema.HasDefault)
        {
            Default(schema, path.Child("default"), errors);
        }

        foreach (var (name, property) in schema.Properties)
        {
            if ((isRoot || schema.IsEmbedded) && name == "metadata")
            {
                Within(property, path.Child("properties").Key(name), errors);
                continue;
            }

            Validate(property, path.Child("properties").Key(name), errors, false);
        }

        if (schema.Items is { } items)
        {
            Validate(items, path.Child("items"), errors, false);
        }

        if (schema.Additional is { } additional)
        {
            Validate(additional, path.Child("additionalProperties"), errors, false);
        }
    }

    private static void Within(StructuralSchema metadata, FieldPath path, ErrorList errors)
    {
        foreach (var (name, property) in metadata.Properties)
        {
            if (property.HasDefault)
            {
                errors.Forbidden(path.Child("properties").Key(name).Child("default"), "must not be set in metadata");
            }
        }
    }

    private static void Default(StructuralSchema schema, FieldPath path, ErrorList errors)
    {
        var value = ApiValues.CloneTree(schema.Default);
        var gone = new List<string>();
        SchemaShape.Prune(value, schema, "", gone);
        if (gone.Count > 0)
        {
            errors.Invalid(path, string.Join(", ", gone), "must not have unknown fields");
            return;
        }

        SchemaShape.Default(value, schema);
        SchemaValidator.Validate(value, null, false, schema, path, errors);
        EmbeddedResources.Validate(value, schema, path, isRoot: false, errors);
        ListTypes.Validate(value, schema, path, errors);
        SchemaRules.OfPart(schema)?.Validate(value, null, false, path, errors);
    }
}
