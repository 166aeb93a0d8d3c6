using System.Globalization;
using Hardway.Api;

namespace Hardway.ApiServer.Custom;

/// <summary>A tree's values as rules see them, by the schema: numbers of a number are doubles, dates are timestamps, only declared fields are there.</summary>
internal static class SchemaValues
{
    public static object? Of(object? value, StructuralSchema schema, bool isRoot = false)
    {
        switch (value)
        {
            case Dictionary<string, object?> map:
                return OfMap(map, schema, isRoot || schema.IsEmbedded);
            case List<object?> list:
                return schema.Items is { } items ? list.ConvertAll(i => Of(i, items)) : list;
            case string text when schema.Type == "string" && !schema.IsIntOrString:
                return OfText(text, schema.Format);
            case long or double when schema.Type == "number":
                return Convert.ToDouble(value, CultureInfo.InvariantCulture);
            case double whole when schema.Type == "integer" && whole == Math.Truncate(whole) && Math.Abs(whole) < 9e18:
                return (long)whole;
            default:
                return value;
        }
    }

    private static Dictionary<string, object?> OfMap(Dictionary<string, object?> map, StructuralSchema schema, bool isObject)
    {
        var seen = new Dictionary<string, object?>(map.Count, StringComparer.Ordinal);
        foreach (var (key, value) in map)
        {
            if (isObject && key == "metadata")
            {
                seen[key] = (value as Dictionary<string, object?>)?.Where(m => m.Key is "name" or "generateName").ToDictionary(m => m.Key, m => m.Value, StringComparer.Ordinal);
            }
            else if (isObject && key is "apiVersion" or "kind")
            {
                seen[key] = value;
            }
            else if (schema.Field(key) is { } field)
            {
                seen[key] = Of(value, field);
            }
        }

        return seen;
    }

    /// <summary>What is not of its format stays a text: validation has said so already.</summary>
    private static object OfText(string text, string format)
    {
        switch (format)
        {
            case "byte":
                var bytes = new byte[text.Length];
                return Convert.TryFromBase64String(text, bytes, out var length) ? bytes[..length] : text;
            case "duration":
                return SchemaFormats.TryDuration(text, out var span) ? span : text;
            case "date":
                return DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? new DateTimeOffset(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero) : text;
            case "date-time":
                return ApiTime.TryParse(text, out var time) ? time : text;
            default:
                return text;
        }
    }
}
