using System.Text;
using Hardway.Api;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Custom;

/// <summary>Lists whose items are distinct: sets by value, maps by their key fields.</summary>
internal static class ListTypes
{
    public static void Validate(object? value, StructuralSchema schema, FieldPath path, ErrorList errors)
    {
        switch (value)
        {
            case Dictionary<string, object?> map:
                foreach (var (key, item) in map)
                {
                    if (schema.Field(key) is { } field)
                    {
                        Validate(item, field, schema.Properties.ContainsKey(key) ? path.Child(key) : path.Key(key), errors);
                    }
                }

                break;
            case List<object?> list:
                Distinct(list, schema, path, errors);
                for (var i = 0; i < list.Count && schema.Items is not null; i++)
                {
                    Validate(list[i], schema.Items, path.Index(i), errors);
                }

                break;
        }
    }

    /// <summary>What tells an item of a keyed list from the others, with the keys' defaults.</summary>
    public static Dictionary<string, object?> KeyOf(Dictionary<string, object?> item, StructuralSchema list) =>
        list.ListKeys.Where(k => item.ContainsKey(k) || DefaultOf(list, k) is not null).ToDictionary(k => k, k => item.TryGetValue(k, out var v) ? v : DefaultOf(list, k), StringComparer.Ordinal);

    /// <summary>An item's identity as text.</summary>
    public static string TextOf(object? item, StructuralSchema list) =>
        Encoding.UTF8.GetString(ApiJson.SerializeTree(list.ListType == "map" && item is Dictionary<string, object?> map ? KeyOf(map, list) : item));

    /// <summary>The items of a former keyed list by their identity; null for lists whose items cannot be told apart.</summary>
    public static Dictionary<string, object?>? Index(List<object?>? former, StructuralSchema list)
    {
        if (former is null || list.ListType != "map")
        {
            return null;
        }

        var all = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var item in former)
        {
            all.TryAdd(TextOf(item, list), item);
        }

        return all;
    }

    public static object? DefaultOf(StructuralSchema list, string key) => list.Items?.Properties.GetValueOrDefault(key)?.Default;

    private static void Distinct(List<object?> list, StructuralSchema schema, FieldPath path, ErrorList errors)
    {
        if (schema.ListType is not ("set" or "map"))
        {
            return;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < list.Count; i++)
        {
            var text = TextOf(list[i], schema);
            if ((schema.ListType == "set" || list[i] is Dictionary<string, object?>) && !seen.Add(text))
            {
                errors.Duplicate(path.Index(i), list[i] is string plain ? plain : text);
            }
        }
    }
}
