using Hardway.Api;
using Hardway.Api.ApiExtensions.V1;
using Hardway.ApiServer.Custom;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.ApiExtensions;

/// <summary>What each version of a definition has: schema, subresources, columns, selectable fields.</summary>
internal static class DefinitionVersionRules
{
    private const int MostSelectable = 8;
    private static readonly string[] s_columnTypes = ["boolean", "date", "integer", "number", "string"];
    private static readonly string[] s_columnFormats = ["", "int32", "int64", "float", "double", "byte", "date", "date-time", "password"];

    public static void Validate(CustomResourceDefinitionSpec spec, CustomResourceDefinitionSpec? old, FieldPath path, ErrorList errors)
    {
        var versions = spec.Versions ?? [];
        var sameSchema = Same(versions, v => v.Schema);
        var sameParts = Same(versions, v => v.Subresources);
        var sameColumns = versions.Skip(1).All(v => Equal(v.AdditionalPrinterColumns, versions[0].AdditionalPrinterColumns));
        var sameFields = versions.Skip(1).All(v => Equal(v.SelectableFields, versions[0].SelectableFields));
        var hasStatus = versions.Exists(v => v.Subresources?.Status is not null);
        for (var i = 0; i < versions.Count; i++)
        {
            var version = versions[i];
            var own = path.Child("versions").Index(i);
            var schema = version.Schema?.OpenAPIV3Schema is { } props ? ApiJson.ToTree(props) : null;
            if (schema is null)
            {
                errors.Required(own.Child("schema", "openAPIV3Schema"), "schemas are required");
            }
            else if (!sameSchema || i == 0)
            {
                var before = old?.Versions?.Find(v => v.Name == version.Name)?.Schema?.OpenAPIV3Schema;
                DefinitionSchemaRules.Validate(schema, before is null ? null : ApiJson.ToTree(before), hasStatus, (sameSchema ? path.Child("validation") : own.Child("schema")).Child("openAPIV3Schema"), errors);
            }

            if (version.Subresources is { } parts && (!sameParts || i == 0))
            {
                Subresources(parts, (sameParts ? path : own).Child("subresources"), errors);
            }

            if (!sameColumns || i == 0)
            {
                Columns(version.AdditionalPrinterColumns ?? [], (sameColumns ? path : own).Child("additionalPrinterColumns"), errors);
            }

            if (!sameFields || i == 0)
            {
                Selectable(version.SelectableFields ?? [], schema, (sameFields ? path : own).Child("selectableFields"), errors);
            }

            Deprecation(version, own.Child("deprecationWarning"), errors);
        }
    }

    private static bool Same(List<CustomResourceDefinitionVersion> versions, Func<CustomResourceDefinitionVersion, ApiStruct?> part) =>
        versions.Skip(1).All(v => part(v) is null == part(versions[0]) is null && ApiStruct.DeepEquals(part(v), part(versions[0])));

    private static bool Equal<T>(List<T>? a, List<T>? b)
        where T : ApiStruct => (a?.Count ?? 0) == (b?.Count ?? 0) && (a ?? []).Zip(b ?? [], (x, y) => ApiStruct.DeepEquals(x, y)).All(e => e);

    private static void Subresources(CustomResourceSubresources parts, FieldPath path, ErrorList errors)
    {
        if (parts.Scale is not { } scale)
        {
            return;
        }

        path = path.Child("scale");
        ScalePath(scale.SpecReplicasPath, path.Child("specReplicasPath"), errors, ".spec");
        ScalePath(scale.StatusReplicasPath, path.Child("statusReplicasPath"), errors, ".status");
        if (scale.LabelSelectorPath is { Length: > 0 } selector)
        {
            ScalePath(selector, path.Child("labelSelectorPath"), errors, ".spec", ".status");
        }
    }

    private static void ScalePath(string text, FieldPath path, ErrorList errors, params string[] under)
    {
        if (text.Length == 0)
        {
            errors.Required(path);
        }
        else if (SimplePath(text) is { } wrong)
        {
            errors.Invalid(path, text, wrong);
        }
        else if (!Array.Exists(under, u => text.StartsWith(u + ".", StringComparison.Ordinal)))
        {
            errors.Invalid(path, text, "should be a json path under " + string.Join(" or ", under));
        }
        else if (text.Contains('[', StringComparison.Ordinal))
        {
            errors.Invalid(path, text, "must be a json path in the dot notation");
        }
    }

    private static string? SimplePath(string text) =>
        text[0] != '.' ? "must be a simple json path starting with ." : text.Length == 1 || text.Split('.')[1..].Any(p => p.Length == 0) ? "must be a json path in the dot notation" : null;

    private static void Columns(List<CustomResourceColumnDefinition> columns, FieldPath path, ErrorList errors)
    {
        for (var i = 0; i < columns.Count; i++)
        {
            var (column, at) = (columns[i], path.Index(i));
            if (column.Name.Length == 0)
            {
                errors.Required(at.Child("name"));
            }

            if (column.Type.Length == 0)
            {
                errors.Required(at.Child("type"), "must be one of " + string.Join(",", s_columnTypes));
            }
            else if (!s_columnTypes.Contains(column.Type))
            {
                errors.Invalid(at.Child("type"), column.Type, "must be one of " + string.Join(",", s_columnTypes));
            }

            if (!s_columnFormats.Contains(column.Format))
            {
                errors.Invalid(at.Child("format"), column.Format, "must be one of " + string.Join(",", s_columnFormats[1..]));
            }

            if (column.JsonPath.Length == 0)
            {
                errors.Required(at.Child("JSONPath"));
            }
            else if (SimplePath(column.JsonPath) is { } wrong)
            {
                errors.Invalid(at.Child("JSONPath"), column.JsonPath, wrong);
            }
        }
    }

    private static void Selectable(List<Hardway.Api.ApiExtensions.V1.SelectableField> fields, Dictionary<string, object?>? schema, FieldPath path, ErrorList errors)
    {
        if (fields.Count > MostSelectable)
        {
            errors.TooMany(path, fields.Count, MostSelectable);
        }

        for (var i = 0; i < fields.Count; i++)
        {
            var at = path.Index(i).Child("jsonPath");
            var text = fields[i].JsonPath;
            if (text.Length == 0)
            {
                errors.Required(at);
            }
            else if (RulePath.Parse(text) is not { } names || names[0] == "metadata" || Field(schema, names) is not { } field)
            {
                errors.Invalid(at, text, "is an invalid path: does not refer to a valid field");
            }
            else if (field.GetValueOrDefault("type") as string is not ("string" or "integer" or "boolean"))
            {
                errors.Invalid(at, text, "must point to a field of type string, integer or boolean");
            }
            else if (fields.FindIndex(f => f.JsonPath == text) < i)
            {
                errors.Duplicate(at, text);
            }
        }
    }

    private static Dictionary<string, object?>? Field(Dictionary<string, object?>? schema, List<string> names)
    {
        foreach (var name in names)
        {
            schema = (schema?.GetValueOrDefault("properties") as Dictionary<string, object?>)?.GetValueOrDefault(name) as Dictionary<string, object?>;
        }

        return schema;
    }

    private static void Deprecation(CustomResourceDefinitionVersion version, FieldPath path, ErrorList errors)
    {
        if (version.DeprecationWarning is not { } text)
        {
            return;
        }

        if (!version.Deprecated)
        {
            errors.Invalid(path, text, "can only be set for deprecated versions");
        }

        if (text.Length == 0)
        {
            errors.Invalid(path, text, "must not be empty");
        }
        else if (text.Length > 256)
        {
            errors.Invalid(path, text, "must be <= 256 characters long");
        }
        else if (text.Any(char.IsControl) || text.Trim().Length != text.Length)
        {
            errors.Invalid(path, text, "must only contain printable characters, and none but those at its ends");
        }
    }
}
