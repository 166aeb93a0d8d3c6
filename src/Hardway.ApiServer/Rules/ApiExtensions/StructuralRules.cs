using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.ApiExtensions;

/// <summary>
/// What makes a schema structural (KEP-1693): every part has a type, what is within allOf, anyOf, oneOf and not only narrows values of fields that
/// are described outside of them, and metadata is left to the server.
/// </summary>
internal static class StructuralRules
{
    private const string PreserveUnknown = "x-kubernetes-preserve-unknown-fields";
    private const string Embedded = "x-kubernetes-embedded-resource";
    private const string IntOrString = "x-kubernetes-int-or-string";
    private static readonly string[] s_types = ["array", "boolean", "integer", "number", "object", "string"];
    private static readonly string[] s_notNested = ["title", "description", "default", PreserveUnknown, Embedded, IntOrString, "x-kubernetes-list-map-keys", "x-kubernetes-list-type", "x-kubernetes-map-type", "x-kubernetes-validations"];

    private enum Level
    {
        Root,
        Field,
        Item,
    }

    public static void Validate(Dictionary<string, object?> schema, FieldPath path, ErrorList errors) => Part(schema, Level.Root, path, errors);

    private static void Part(Dictionary<string, object?> schema, Level level, FieldPath path, ErrorList errors)
    {
        TypeIs(schema, level, path, errors);
        if (SchemaDefinitionRules.Text(schema, "type") == "array" && schema.GetValueOrDefault("items") is not Dictionary<string, object?>)
        {
            errors.Required(path.Child("items"), "must be specified");
        }

        Extensions(schema, path, errors);
        if (level == Level.Root || Is(schema, Embedded))
        {
            Metadata(schema, path, errors);
        }

        if (level == Level.Root && schema.GetValueOrDefault("additionalProperties") is Dictionary<string, object?> or true)
        {
            errors.Forbidden(path.Child("additionalProperties"), "must not be used at the root");
        }

        Nested(schema, path, errors);
        foreach (var (name, property) in schema.GetValueOrDefault("properties") as Dictionary<string, object?> ?? [])
        {
            if (property is Dictionary<string, object?> one)
            {
                Part(one, Level.Field, path.Child("properties").Key(name), errors);
            }
        }

        if (schema.GetValueOrDefault("items") is Dictionary<string, object?> items)
        {
            Part(items, Level.Item, path.Child("items"), errors);
        }

        if (schema.GetValueOrDefault("additionalProperties") is Dictionary<string, object?> additional)
        {
            Part(additional, Level.Field, path.Child("additionalProperties"), errors);
        }
    }

    private static void TypeIs(Dictionary<string, object?> schema, Level level, FieldPath path, ErrorList errors)
    {
        var type = SchemaDefinitionRules.Text(schema, "type");
        if (Is(schema, Embedded) && type != "object")
        {
            if (type.Length == 0)
            {
                errors.Required(path.Child("type"), "must be object if x-kubernetes-embedded-resource is true");
            }
            else
            {
                errors.Invalid(path.Child("type"), type, "must be object if x-kubernetes-embedded-resource is true");
            }
        }
        else if (type.Length == 0 && !Is(schema, IntOrString) && (level == Level.Root || !Is(schema, PreserveUnknown)))
        {
            errors.Required(path.Child("type"), level switch
            {
                Level.Root => "must not be empty at the root",
                Level.Item => "must not be empty for specified array items",
                _ => "must not be empty for specified object fields",
            });
        }
        else if (type.Length > 0 && !s_types.Contains(type))
        {
            errors.NotSupported(path.Child("type"), type, s_types);
        }
        else if (level == Level.Root && type != "object")
        {
            errors.Invalid(path.Child("type"), type, "must be object at the root");
        }
    }

    private static void Extensions(Dictionary<string, object?> schema, FieldPath path, ErrorList errors)
    {
        if (Is(schema, IntOrString))
        {
            foreach (var name in new[] { PreserveUnknown, Embedded }.Where(n => Is(schema, n)))
            {
                errors.Invalid(path.Child(name), true, "must be false if x-kubernetes-int-or-string is true");
            }
        }

        if (Is(schema, Embedded) && !Is(schema, PreserveUnknown) && schema.GetValueOrDefault("properties") is not Dictionary<string, object?> { Count: > 0 })
        {
            errors.Required(path.Child("properties"), "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields");
        }
    }

    private static void Metadata(Dictionary<string, object?> schema, FieldPath path, ErrorList errors)
    {
        var properties = schema.GetValueOrDefault("properties") as Dictionary<string, object?> ?? [];
        foreach (var (name, wanted) in new[] { ("metadata", "object"), ("apiVersion", "string"), ("kind", "string") })
        {
            if (properties.GetValueOrDefault(name) is Dictionary<string, object?> field && SchemaDefinitionRules.Text(field, "type") is var type && type != wanted)
            {
                errors.Invalid(path.Child("properties").Key(name).Child("type"), type, "must be " + wanted);
            }
        }

        if (properties.GetValueOrDefault("metadata") is not Dictionary<string, object?> metadata)
        {
            return;
        }

        var extra = (metadata.GetValueOrDefault("properties") as Dictionary<string, object?> ?? []).Keys.Any(k => k is not ("name" or "generateName"));
        if (extra || metadata.Keys.Any(k => k is not ("type" or "properties" or "description" or "title")))
        {
            errors.Forbidden(path.Child("properties").Key("metadata"), "must not specify anything other than name and generateName, but metadata is implicitly specified");
        }
    }

    private static void Nested(Dictionary<string, object?> schema, FieldPath path, ErrorList errors)
    {
        foreach (var name in new[] { "allOf", "anyOf", "oneOf" })
        {
            var list = schema.GetValueOrDefault(name) as List<object?> ?? [];
            for (var i = 0; i < list.Count; i++)
            {
                if (list[i] is Dictionary<string, object?> one && !IsIntOrStringForm(schema, name, one))
                {
                    ValueOnly(one, schema, path.Child(name).Index(i), errors);
                }
            }
        }

        if (schema.GetValueOrDefault("not") is Dictionary<string, object?> not)
        {
            ValueOnly(not, schema, path.Child("not"), errors);
        }
    }

    /// <summary>An int-or-string may say so again: anyOf with the two types.</summary>
    private static bool IsIntOrStringForm(Dictionary<string, object?> schema, string name, Dictionary<string, object?> part) =>
        Is(schema, IntOrString) && ((name == "anyOf" && IsOneType(part))
            || (name == "allOf" && part.GetValueOrDefault("anyOf") is List<object?> inner && part.Count == 1 && inner.TrueForAll(p => p is Dictionary<string, object?> one && IsOneType(one))));

    private static bool IsOneType(Dictionary<string, object?> part) => part.Count == 1 && SchemaDefinitionRules.Text(part, "type") is "integer" or "string";

    /// <summary>What only narrows: it has no type of its own, and speaks of fields that the schema around it describes.</summary>
    private static void ValueOnly(Dictionary<string, object?> part, Dictionary<string, object?>? around, FieldPath path, ErrorList errors)
    {
        if (part.ContainsKey("type"))
        {
            errors.Forbidden(path.Child("type"), "must be empty to be structural");
        }

        if (part.GetValueOrDefault("nullable") is true)
        {
            errors.Forbidden(path.Child("nullable"), "must be false to be structural");
        }

        foreach (var name in s_notNested.Where(part.ContainsKey))
        {
            errors.Forbidden(path.Child(name), "must be undefined to be structural");
        }

        if (part.GetValueOrDefault("additionalProperties") is Dictionary<string, object?> or true)
        {
            errors.Forbidden(path.Child("additionalProperties"), "must be undefined to be structural");
        }

        foreach (var (name, property) in part.GetValueOrDefault("properties") as Dictionary<string, object?> ?? [])
        {
            if (property is Dictionary<string, object?> one)
            {
                var at = path.Child("properties").Key(name);
                if (name == "metadata")
                {
                    errors.Forbidden(at, "must not be specified in a nested context");
                }

                ValueOnly(one, Described(around, name, at, errors), at, errors);
            }
        }

        if (part.GetValueOrDefault("items") is Dictionary<string, object?> items)
        {
            var under = around?.GetValueOrDefault("items") as Dictionary<string, object?>;
            if (around is not null && under is null)
            {
                errors.Required(path.Child("items"), "it is narrowed but not described");
            }

            ValueOnly(items, under, path.Child("items"), errors);
        }

        Nested(part, path, errors);
    }

    private static Dictionary<string, object?>? Described(Dictionary<string, object?>? around, string name, FieldPath path, ErrorList errors)
    {
        if (around is null)
        {
            return null;
        }

        var found = (around.GetValueOrDefault("properties") as Dictionary<string, object?>)?.GetValueOrDefault(name) as Dictionary<string, object?> ?? around.GetValueOrDefault("additionalProperties") as Dictionary<string, object?>;
        if (found is null && around.GetValueOrDefault("additionalProperties") is not true)
        {
            errors.Required(path, "it is narrowed but not described");
        }

        return found;
    }

    private static bool Is(Dictionary<string, object?> schema, string key) => schema.GetValueOrDefault(key) is true;
}
