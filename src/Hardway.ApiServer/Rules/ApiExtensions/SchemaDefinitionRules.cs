using System.Text.RegularExpressions;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.ApiExtensions;

/// <summary>What holds for each part of a definition's schema, also within allOf and the like: which keywords may be used, list and map types.</summary>
internal static class SchemaDefinitionRules
{
    private static readonly string[] s_forbidden = ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"];
    private static readonly string[] s_formats =
    [
        "", "bsonobjectid", "uri", "email", "hostname", "ipv4", "ipv6", "cidr", "mac", "uuid", "uuid3", "uuid4", "uuid5", "isbn", "isbn10", "isbn13", "creditcard", "ssn", "hexcolor", "rgbcolor", "byte",
        "password", "date", "duration", "date-time", "datetime", "int32", "int64", "float", "double", "k8s-short-name", "k8s-long-name",
    ];

    public static void Validate(Dictionary<string, object?> schema, FieldPath path, ErrorList errors)
    {
        foreach (var name in s_forbidden.Where(schema.ContainsKey))
        {
            errors.Forbidden(path.Child(name), name + " is not supported");
        }

        if (Text(schema, "type") == "null")
        {
            errors.Forbidden(path.Child("type"), "type cannot be set to null, use nullable as an alternative");
        }

        if (schema.GetValueOrDefault("items") is List<object?>)
        {
            errors.Forbidden(path.Child("items"), "items must be a schema object and not an array");
        }

        if (schema.GetValueOrDefault("uniqueItems") is true)
        {
            errors.Forbidden(path.Child("uniqueItems"), "uniqueItems cannot be set to true, since the work to check it grows with the square of the list");
        }

        if (schema.GetValueOrDefault("additionalProperties") is Dictionary<string, object?> or true && schema.GetValueOrDefault("properties") is Dictionary<string, object?> { Count: > 0 })
        {
            errors.Forbidden(path.Child("additionalProperties"), "additionalProperties and properties are mutual exclusive");
        }

        if (schema.GetValueOrDefault("x-kubernetes-preserve-unknown-fields") is false)
        {
            errors.Invalid(path.Child("x-kubernetes-preserve-unknown-fields"), false, "must be true or undefined");
        }

        if (Text(schema, "pattern") is { Length: > 0 } pattern && !IsPattern(pattern, out var why))
        {
            errors.Invalid(path.Child("pattern"), pattern, "must be a valid regular expression, but isn't: " + why);
        }

        Maps(schema, path, errors);
        SchemaListRules.Validate(schema, path, errors);
        foreach (var (part, at) in Parts(schema, path))
        {
            Validate(part, at, errors);
        }
    }

    /// <summary>The schemas within a schema, with their paths.</summary>
    public static IEnumerable<(Dictionary<string, object?> Schema, FieldPath Path)> Parts(Dictionary<string, object?> schema, FieldPath path)
    {
        foreach (var name in new[] { "items", "additionalProperties", "not" })
        {
            if (schema.GetValueOrDefault(name) is Dictionary<string, object?> one)
            {
                yield return (one, path.Child(name));
            }
        }

        foreach (var name in new[] { "allOf", "anyOf", "oneOf" })
        {
            var list = schema.GetValueOrDefault(name) as List<object?> ?? [];
            for (var i = 0; i < list.Count; i++)
            {
                if (list[i] is Dictionary<string, object?> one)
                {
                    yield return (one, path.Child(name).Index(i));
                }
            }
        }

        foreach (var (name, property) in schema.GetValueOrDefault("properties") as Dictionary<string, object?> ?? [])
        {
            if (property is Dictionary<string, object?> one)
            {
                yield return (one, path.Child("properties").Key(name));
            }
        }
    }

    /// <summary>Formats that nobody checks: probably a slip.</summary>
    public static IEnumerable<string> UnknownFormats(Dictionary<string, object?> schema) =>
        Parts(schema, FieldPath.Root).SelectMany(p => UnknownFormats(p.Schema)).Concat(s_formats.Contains(Text(schema, "format")) ? [] : [Text(schema, "format")]).Distinct();

    public static string Text(Dictionary<string, object?> schema, string key) => schema.GetValueOrDefault(key) as string ?? "";

    private static bool IsPattern(string pattern, out string why)
    {
        try
        {
            _ = new Regex(pattern, RegexOptions.CultureInvariant, TimeSpan.FromMilliseconds(100));
            why = "";
            return true;
        }
        catch (ArgumentException e)
        {
            why = e.Message;
            return false;
        }
    }

    private static void Maps(Dictionary<string, object?> schema, FieldPath path, ErrorList errors)
    {
        if (schema.GetValueOrDefault("x-kubernetes-map-type") is not string type)
        {
            return;
        }

        if (type is not ("atomic" or "granular"))
        {
            errors.NotSupported(path.Child("x-kubernetes-map-type"), type, "atomic", "granular");
        }

        if (Text(schema, "type") is var kind && kind != "object")
        {
            if (kind.Length == 0)
            {
                errors.Required(path.Child("type"), "must be object if x-kubernetes-map-type is specified");
            }
            else
            {
                errors.Invalid(path.Child("type"), kind, "must be object if x-kubernetes-map-type is specified");
            }
        }
    }
}
