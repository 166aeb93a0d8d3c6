using System.Globalization;
using Hardway.Api;
using Hardway.Api.Meta.V1;

namespace Hardway.ApiServer.Custom;

/// <summary>
/// Brings a tree into its schema's shape: takes away what the schema does not know, fills in defaults, drops nulls where none may be.
/// Changes the tree that it is given.
/// </summary>
internal static class SchemaShape
{
    /// <summary>Prunes an object's fields and tells which have gone.</summary>
    /// <param name="rest">All fields of the root but kind, apiVersion and metadata.</param>
    /// <param name="schema">The root's schema.</param>
    /// <param name="gone">Where the paths of what has gone are added; null when nobody asks.</param>
    public static void PruneRoot(Dictionary<string, object?> rest, StructuralSchema schema, List<string>? gone) => PruneMap(rest, schema, "", gone, isRoot: true);

    public static void Prune(object? value, StructuralSchema schema, string path, List<string>? gone)
    {
        switch (value)
        {
            case Dictionary<string, object?> map:
                PruneMap(map, schema, path, gone, isRoot: false);
                break;
            case List<object?> list when schema.Items is { } items:
                for (var i = 0; i < list.Count; i++)
                {
                    Prune(list[i], items, string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"), gone);
                }

                break;
        }
    }

    public static void Default(object? value, StructuralSchema schema)
    {
        switch (value)
        {
            case Dictionary<string, object?> map:
                DefaultMap(map, schema);
                break;
            case List<object?> list when schema.Items is { } items:
                for (var i = 0; i < list.Count; i++)
                {
                    if (list[i] is null && items.HasDefault && !items.IsNullable)
                    {
                        list[i] = ApiValues.CloneTree(items.Default);
                    }

                    Default(list[i], items);
                }

                break;
        }
    }

    /// <summary>A null that is not allowed and has no default is as if it were not there.</summary>
    public static void DropNulls(object? value, StructuralSchema schema)
    {
        switch (value)
        {
            case Dictionary<string, object?> map:
                foreach (var (key, item) in map.ToList())
                {
                    if (schema.Field(key) is not { } field)
                    {
                        continue;
                    }

                    if (item is null && !field.IsNullable && Knows(field))
                    {
                        map.Remove(key);
                    }
                    else
                    {
                        DropNulls(item, field);
                    }
                }

                break;
            case List<object?> list when schema.Items is { } items:
                list.ForEach(i => DropNulls(i, items));
                break;
        }
    }

    private static bool Knows(StructuralSchema schema) => !schema.PreservesUnknown || schema.Type.Length > 0;

    private static void PruneMap(Dictionary<string, object?> map, StructuralSchema schema, string path, List<string>? gone, bool isRoot)
    {
        foreach (var key in map.Keys.ToList())
        {
            var at = path.Length == 0 ? key : path + "." + key;
            if ((schema.IsEmbedded || isRoot) && key is "apiVersion" or "kind" or "metadata")
            {
                if (key == "metadata" && schema.IsEmbedded)
                {
                    PruneMetadata(map, at, gone);
                }
            }
            else if (schema.Field(key) is { } field)
            {
                Prune(map[key], field, at, gone);
            }
            else if (!schema.PreservesUnknown && !schema.AllowsAdditional)
            {
                map.Remove(key);
                gone?.Add(at);
            }
        }
    }

    /// <summary>The metadata of an object within an object is what ObjectMeta knows.</summary>
    private static void PruneMetadata(Dictionary<string, object?> map, string path, List<string>? gone)
    {
        if (map["metadata"] is not Dictionary<string, object?> metadata)
        {
            return;
        }

        var report = new DecodeReport();
        try
        {
            map["metadata"] = ApiJson.ToTree(ApiJson.FromTree(ObjectMeta.TypeSchema, metadata, report));
        }
        catch (ApiDecodeException)
        {
            // Of the wrong types: validation says so.
            return;
        }

        gone?.AddRange(report.Unknown.Select(u => path + "." + u));
    }

    private static void DefaultMap(Dictionary<string, object?> map, StructuralSchema schema)
    {
        foreach (var (name, property) in schema.Properties)
        {
            if (property.HasDefault && (!map.TryGetValue(name, out var now) || (now is null && !property.IsNullable)))
            {
                map[name] = ApiValues.CloneTree(property.Default);
            }
        }

        foreach (var key in map.Keys.ToList())
        {
            if (schema.Field(key) is not { } field)
            {
                continue;
            }

            if (map[key] is null && field.HasDefault && !field.IsNullable)
            {
                map[key] = ApiValues.CloneTree(field.Default);
            }

            Default(map[key], field);
        }
    }
}
