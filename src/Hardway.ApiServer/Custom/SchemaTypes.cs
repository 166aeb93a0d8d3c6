using System.Text.RegularExpressions;
using Hardway.Cel;

namespace Hardway.ApiServer.Custom;

/// <summary>
/// A schema as CEL's types see it, with how large values can get: by maxLength, maxItems and maxProperties, else by what fits into a request.
/// What a schema does not describe (unknown fields that are kept) no rule sees.
/// </summary>
internal static partial class SchemaTypes
{
    /// <summary>The largest request, in bytes.</summary>
    private const double Request = 3 * 1024 * 1024;

    private static readonly Dictionary<string, CelDecl> s_metadata = new(StringComparer.Ordinal) { ["name"] = CelDecl.Text.WithSize(253), ["generateName"] = CelDecl.Text.WithSize(253) };

    /// <summary>Null where rules cannot see the value.</summary>
    public static CelDecl? Of(StructuralSchema schema, bool isRoot = false, string name = "object")
    {
        if (schema.IsIntOrString)
        {
            return CelDecl.Dyn.WithSize(TextSize(schema));
        }

        switch (schema.Type)
        {
            case "object":
                return OfObject(schema, isRoot || schema.IsEmbedded, name);
            case "array":
                return schema.Items is { } items && Of(items, name: name + ".@idx") is { } item ? CelDecl.List(item).WithSize(ListSize(schema)) : null;
            case "string":
                return schema.Format switch
                {
                    "byte" => CelDecl.Bytes.WithSize(TextSize(schema)),
                    "duration" => CelDecl.Duration,
                    "date" or "date-time" => CelDecl.Timestamp,
                    _ => CelDecl.Text.WithSize(TextSize(schema)),
                };
            case "boolean":
                return CelDecl.Bool;
            case "integer":
                return CelDecl.Int;
            case "number":
                return CelDecl.Double;
            default:
                return null;
        }
    }

    /// <summary>How many items a list, or entries a map, has at most.</summary>
    public static double ListSize(StructuralSchema schema) => schema.Type == "array"
        ? schema.Bound("maxItems") ?? Math.Floor((Request - 2) / (Smallest(schema.Items) + 1))
        : schema.Bound("maxProperties") ?? Math.Floor((Request - 2) / (Smallest(schema.Additional) + 6));

    /// <summary>A declared name is one that an expression can write, escaped or not.</summary>
    public static bool IsNameable(string name) => Nameable().IsMatch(name);

    private static CelDecl OfObject(StructuralSchema schema, bool isObject, string name)
    {
        if (schema.Properties.Count == 0 && schema.Additional is { } additional && !isObject)
        {
            return CelDecl.Map(CelDecl.Text.WithSize(Request), Of(additional, name: name + ".@elem") ?? CelDecl.Dyn).WithSize(ListSize(schema));
        }

        var fields = new Dictionary<string, CelDecl>(StringComparer.Ordinal);
        foreach (var (key, property) in schema.Properties)
        {
            if (IsNameable(key) && Of(property, name: name + "." + key) is { } type)
            {
                fields[key] = type;
            }
        }

        if (isObject)
        {
            fields["apiVersion"] = CelDecl.Text.WithSize(317);
            fields["kind"] = CelDecl.Text.WithSize(63);
            fields["metadata"] = CelDecl.Object(name + ".metadata", s_metadata);
        }

        return CelDecl.Object(name, fields);
    }

    /// <summary>maxLength counts code points, and these have up to four bytes.</summary>
    private static double TextSize(StructuralSchema schema)
    {
        if (schema.Enum is { Count: > 0 } values)
        {
            return values.Max(v => v is string s ? s.Length : 0);
        }

        return schema.Bound("maxLength") is { } most ? most * 4 : Request - 2;
    }

    /// <summary>The fewest bytes that a value has in JSON.</summary>
    private static double Smallest(StructuralSchema? schema) => schema?.Type switch
    {
        null or "" => 1,
        "boolean" => 4,
        "integer" or "number" => 1,
        "object" => 2 + schema.Required.Sum(r => r.Length + 4 + Smallest(schema.Properties.GetValueOrDefault(r))),
        "string" => 2 + (schema.Bound("minLength") ?? 0),
        _ => 2,
    };

    [GeneratedRegex("^[a-zA-Z_][a-zA-Z0-9_./-]*$")]
    private static partial Regex Nameable();
}
