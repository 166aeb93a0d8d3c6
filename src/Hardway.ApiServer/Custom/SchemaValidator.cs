using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Hardway.Api;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Custom;

/// <summary>
/// Checks a tree against a schema. Reasons and paths are upstream's, also where they surprise: what is wrong with a value as a whole (oneOf, a
/// number's range) has no path. Given the old object, what has not changed is not judged again (KEP-4008).
/// </summary>
internal static class SchemaValidator
{
    /// <param name="value">The new value.</param>
    /// <param name="old">The value it replaces, where there is one.</param>
    /// <param name="hasOld">Whether there is one.</param>
    /// <param name="schema">What it must be.</param>
    /// <param name="path">Where it stands.</param>
    /// <param name="errors">Where the findings go.</param>
    public static void Validate(object? value, object? old, bool hasOld, StructuralSchema schema, FieldPath path, ErrorList errors)
    {
        if (hasOld && ApiValues.TreesEqual(value, old))
        {
            return;
        }

        Judge(value, old, hasOld, schema, path, errors);
    }

    private static void Judge(object? value, object? old, bool hasOld, StructuralSchema schema, FieldPath path, ErrorList errors)
    {
        if (value is null && schema.IsNullable)
        {
            return;
        }

        if (!FitsType(value, schema))
        {
            errors.TypeInvalid(path, NameOf(value), "must be of type " + (schema.IsIntOrString ? "integer or string" : schema.Type));
        }

        Alternatives(value, schema, path, errors);
        if (schema.Enum is { Count: > 0 } allowed && !allowed.Any(a => ApiValues.TreesEqual(a, value)))
        {
            errors.NotSupported(path, value, allowed.Select(a => a?.ToString() ?? "null"));
        }

        switch (value)
        {
            case string text:
                Text(text, schema, path, errors);
                break;
            case long or double:
                Number(value, schema, path, errors);
                break;
            case List<object?> list:
                List(list, hasOld ? old as List<object?> : null, schema, path, errors);
                break;
            case Dictionary<string, object?> map:
                Map(map, hasOld ? old as Dictionary<string, object?> : null, schema, path, errors);
                break;
        }
    }

    private static bool FitsType(object? value, StructuralSchema schema) => schema.IsIntOrString ? value is string or long || IsWhole(value) : schema.Type switch
    {
        "object" => value is Dictionary<string, object?>,
        "array" => value is List<object?>,
        "string" => value is string,
        "integer" => value is long || IsWhole(value),
        "number" => value is long or double,
        "boolean" => value is bool,
        _ => true,
    };

    private static bool IsWhole(object? value) => value is double d && d == Math.Truncate(d);

    private static void Alternatives(object? value, StructuralSchema schema, FieldPath path, ErrorList errors)
    {
        var failing = schema.AllOf.Select(s => Try(value, s, path)).Where(e => e.Any).ToList();
        failing.ForEach(e => errors.AddRange(e.Errors));
        if (failing.Count > 0)
        {
            errors.Invalid(FieldPath.Root, "", $"\"{path}\" must validate all the schemas (allOf)" + (failing.Count == schema.AllOf.Count ? ". None validated" : ""));
        }

        if (schema.AnyOf.Count > 0)
        {
            var tried = schema.AnyOf.Select(s => Try(value, s, path)).ToList();
            if (tried.TrueForAll(e => e.Any))
            {
                errors.Invalid(FieldPath.Root, "", $"\"{path}\" must validate at least one schema (anyOf)");
                errors.AddRange(Best(tried).Errors);
            }
        }

        if (schema.OneOf.Count > 0)
        {
            var tried = schema.OneOf.Select(s => Try(value, s, path)).ToList();
            var fitting = tried.Count(e => !e.Any);
            if (fitting != 1)
            {
                errors.Invalid(FieldPath.Root, "", $"\"{path}\" must validate one and only one schema (oneOf). Found " + (fitting == 0 ? "none valid" : $"{fitting} valid alternatives"));
            }

            if (fitting == 0)
            {
                errors.AddRange(Best(tried).Errors);
            }
        }

        if (schema.Not is { } not && !Try(value, not, path).Any)
        {
            errors.Invalid(FieldPath.Root, "", $"\"{path}\" must not validate the schema (not)");
        }
    }

    private static ErrorList Best(List<ErrorList> tried) => tried.MinBy(e => e.Count)!;

    private static ErrorList Try(object? value, StructuralSchema schema, FieldPath path)
    {
        var errors = new ErrorList();
        Judge(value, null, false, schema, path, errors);
        return errors;
    }

    /// <summary>The first thing that is wrong counts, then the format.</summary>
    private static void Text(string text, StructuralSchema schema, FieldPath path, ErrorList errors)
    {
        var length = text.EnumerateRunes().Count();
        if (schema.Bound("maxLength") is { } most && length > most)
        {
            errors.TooLong(path, (int)most);
        }
        else if (schema.Bound("minLength") is { } least && length < least)
        {
            errors.Invalid(path, text, $"should be at least {least} chars long");
        }
        else if (schema.Pattern is { } pattern && !Matches(pattern, text))
        {
            errors.Invalid(path, text, $"should match '{pattern}'");
        }

        if (schema.Format.Length > 0 && schema.Type is "string" or "" && !SchemaFormats.Fits(schema.Format, text))
        {
            errors.TypeInvalid(path, text, $"must be of type {schema.Format}");
        }
    }

    /// <summary>A pattern that needs too long does not match: it may not keep the server busy.</summary>
    private static bool Matches(Regex pattern, string text)
    {
        try
        {
            return pattern.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return false;
        }
    }

    private static void Number(object value, StructuralSchema schema, FieldPath path, ErrorList errors)
    {
        var number = Convert.ToDouble(value, CultureInfo.InvariantCulture);
        if (!InRange(number, schema))
        {
            errors.Invalid(FieldPath.Root, "", $"the value of {path} is no {schema.Type} of {(schema.Format.Length == 0 ? "the default format" : "format " + schema.Format)}");
        }

        if (schema.Bound("multipleOf") is { } step && step > 0 && Math.Abs((number / step) - Math.Round(number / step)) > 1e-9)
        {
            errors.Invalid(path, value, $"should be a multiple of {Show(step)}");
        }

        if (schema.Bound("maximum") is { } most && (schema.Is("exclusiveMaximum") ? number >= most : number > most))
        {
            errors.Invalid(path, value, $"should be less than {(schema.Is("exclusiveMaximum") ? "" : "or equal to ")}{Show(most)}");
        }

        if (schema.Bound("minimum") is { } least && (schema.Is("exclusiveMinimum") ? number <= least : number < least))
        {
            errors.Invalid(path, value, $"should be greater than {(schema.Is("exclusiveMinimum") ? "" : "or equal to ")}{Show(least)}");
        }
    }

    private static bool InRange(double number, StructuralSchema schema) => (schema.Type, schema.Format) switch
    {
        ("integer", "int32") => number == Math.Truncate(number) && number is >= int.MinValue and <= int.MaxValue,
        ("integer", "uint32") => number == Math.Truncate(number) && number is >= 0 and <= uint.MaxValue,
        ("integer", "uint64") => number == Math.Truncate(number) && number >= 0,
        ("integer", _) => number == Math.Truncate(number),
        ("number", "float") => Math.Abs(number) <= float.MaxValue,
        _ => true,
    };

    private static void List(List<object?> list, List<object?>? old, StructuralSchema schema, FieldPath path, ErrorList errors)
    {
        if (schema.Items is { } items)
        {
            var former = ListTypes.Index(old, schema);
            for (var i = 0; i < list.Count; i++)
            {
                object? before = null;
                var has = former?.TryGetValue(ListTypes.TextOf(list[i], schema), out before) == true;
                Validate(list[i], before, has, items, path.Index(i), errors);
            }
        }

        if (schema.Bound("minItems") is { } least && list.Count < least)
        {
            errors.Invalid(path, list.Count, $"should have at least {least} items");
        }

        if (schema.Bound("maxItems") is { } most && list.Count > most)
        {
            errors.TooMany(path, list.Count, (int)most);
        }

        if (schema.Is("uniqueItems") && list.Select(i => Encoding.UTF8.GetString(ApiJson.SerializeTree(i))).Distinct().Count() < list.Count)
        {
            errors.Invalid(path, "", "shouldn't contain duplicates");
        }
    }

    private static void Map(Dictionary<string, object?> map, Dictionary<string, object?>? old, StructuralSchema schema, FieldPath path, ErrorList errors)
    {
        if (schema.Bound("minProperties") is { } least && map.Count < least)
        {
            errors.Invalid(path, map.Count, $"should have at least {least} properties");
            return;
        }

        if (schema.Bound("maxProperties") is { } most && map.Count > most)
        {
            errors.TooMany(path, map.Count, (int)most);
            return;
        }

        foreach (var name in schema.Required)
        {
            if (!map.ContainsKey(name))
            {
                errors.Required(path.Child(name));
            }
        }

        foreach (var (key, value) in map)
        {
            if (schema.Field(key) is { } field)
            {
                object? before = null;
                var has = old?.TryGetValue(key, out before) == true;
                Validate(value, before, has, field, path.Child(key), errors);
            }
        }
    }

    private static string Show(double number) => number.ToString(CultureInfo.InvariantCulture);

    private static string NameOf(object? value) => value switch
    {
        null => "null",
        string => "string",
        bool => "boolean",
        long => "integer",
        double => "number",
        List<object?> => "array",
        _ => "object",
    };
}
