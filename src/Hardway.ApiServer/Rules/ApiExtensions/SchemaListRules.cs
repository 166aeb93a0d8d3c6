using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.ApiExtensions;

/// <summary>x-kubernetes-list-type and its keys.</summary>
internal static class SchemaListRules
{
    private const string ListType = "x-kubernetes-list-type";
    private const string MapKeys = "x-kubernetes-list-map-keys";

    public static void Validate(Dictionary<string, object?> schema, FieldPath path, ErrorList errors)
    {
        var type = schema.GetValueOrDefault(ListType) as string;
        var keys = (schema.GetValueOrDefault(MapKeys) as List<object?> ?? []).OfType<string>().ToList();
        if (type is null)
        {
            if (keys.Count > 0)
            {
                errors.Required(path.Child(ListType), "must be map if x-kubernetes-list-map-keys is non-empty");
            }

            return;
        }

        if (type is not ("atomic" or "set" or "map"))
        {
            errors.NotSupported(path.Child(ListType), type, "atomic", "map", "set");
        }

        var kind = SchemaDefinitionRules.Text(schema, "type");
        if (kind.Length == 0)
        {
            errors.Required(path.Child("type"), "must be array if x-kubernetes-list-type is specified");
        }
        else if (kind != "array")
        {
            errors.Invalid(path.Child("type"), kind, "must be array if x-kubernetes-list-type is specified");
        }

        if (keys.Count > 0 && type != "map")
        {
            errors.Invalid(path.Child(ListType), type, "must be map if x-kubernetes-list-map-keys is non-empty");
        }

        if (type == "map")
        {
            Map(schema, keys, path, errors);
        }
        else if (type == "set" && schema.GetValueOrDefault("items") is Dictionary<string, object?> items)
        {
            Set(items, path.Child("items"), errors);
        }
    }

    private static void Map(Dictionary<string, object?> schema, List<string> keys, FieldPath path, ErrorList errors)
    {
        if (keys.Count == 0)
        {
            errors.Required(path.Child(MapKeys), "must not be empty if x-kubernetes-list-type is map");
        }

        if (schema.GetValueOrDefault("items") is not Dictionary<string, object?> items)
        {
            errors.Required(path.Child("items"), "must have a schema if x-kubernetes-list-type is map");
            return;
        }

        if (SchemaDefinitionRules.Text(items, "type") is var type && type != "object")
        {
            errors.Invalid(path.Child("items", "type"), type, "must be object if parent array's x-kubernetes-list-type is map");
        }

        NotNullable(items, path.Child("items"), errors);
        var properties = items.GetValueOrDefault("properties") as Dictionary<string, object?> ?? [];
        var required = (items.GetValueOrDefault("required") as List<object?> ?? []).OfType<string>().ToHashSet();
        if (keys.Distinct().Count() < keys.Count)
        {
            errors.Invalid(path.Child(MapKeys), string.Join(", ", keys), "must not contain duplicate entries");
        }

        foreach (var key in keys)
        {
            if (properties.GetValueOrDefault(key) is not Dictionary<string, object?> property)
            {
                errors.Invalid(path.Child(MapKeys), string.Join(", ", keys), "entries must all be names of item properties");
                continue;
            }

            var at = path.Child("items", "properties").Key(key);
            if (SchemaDefinitionRules.Text(property, "type") is var scalar && scalar is "array" or "object")
            {
                errors.Invalid(at.Child("type"), scalar, "must be a scalar type if parent array's x-kubernetes-list-type is map");
            }

            if (!required.Contains(key) && !property.ContainsKey("default"))
            {
                errors.Required(at.Child("default"), "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property");
            }

            NotNullable(property, at, errors);
        }
    }

    private static void Set(Dictionary<string, object?> items, FieldPath path, ErrorList errors)
    {
        NotNullable(items, path, errors);
        switch (SchemaDefinitionRules.Text(items, "type"))
        {
            case "array" when items.GetValueOrDefault(ListType) is string type && type != "atomic":
                errors.Invalid(path.Child(ListType), type, "must be atomic as item of a list with x-kubernetes-list-type=set");
                break;
            case "object" when items.GetValueOrDefault("x-kubernetes-map-type") is not "atomic":
                errors.Invalid(path.Child("x-kubernetes-map-type"), SchemaDefinitionRules.Text(items, "x-kubernetes-map-type"), "must be atomic as item of a list with x-kubernetes-list-type=set");
                break;
        }
    }

    private static void NotNullable(Dictionary<string, object?> schema, FieldPath path, ErrorList errors)
    {
        if (schema.GetValueOrDefault("nullable") is true)
        {
            errors.Forbidden(path.Child("nullable"), "cannot be nullable when x-kubernetes-list-type is set or map");
        }
    }
}
