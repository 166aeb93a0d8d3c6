using System.Collections;

namespace Hardway.Api;

/// <summary>JSON trees of values made directly, as encoding and decoding would give them. Nothing of the value is shared with its tree but texts.</summary>
internal static class ApiTrees
{
    /// <param name="value">The value.</param>
    /// <param name="managedFields">With false, metadata.managedFields is left out: often the largest part, and of no use to who asks for that.</param>
    public static Dictionary<string, object?> Of(ApiStruct value, bool managedFields = true)
    {
        var fields = value.StructSchema.Fields;
        var map = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var field in fields)
        {
            var item = value.Get(field.Ordinal);
            if (field.IsOmitted(item) || (!managedFields && value is Meta.V1.ObjectMeta && field.Name == "managedFields"))
            {
                continue;
            }

            map[field.Name] = item is null ? Zero(field) : OfValue(item, field.Shape, managedFields);
        }

        if (value.Rest is { Count: > 0 } rest)
        {
            foreach (var (key, item) in OfMap(rest, Shape.Any, managedFields))
            {
                map[key] = item;
            }
        }

        return map;
    }

    private static object? OfValue(object? value, Shape shape, bool managedFields) => value switch
    {
        null or string or bool or long => value,
        int i => (long)i,
        double d => OfDouble(d),
        ApiStruct s => Of(s, managedFields),
        byte[] bytes => Convert.ToBase64String(bytes),
        Quantity q => q.ToString(),
        IntOrString { IsInt: true } n => (long)n.IntValue,
        IntOrString t => t.StringValue,
        DateTimeOffset time => shape.Kind == ShapeKind.MicroTime ? ApiTime.FormatMicro(time) : ApiTime.Format(time),
        TimeSpan span => ApiTime.FormatDuration(span),
        Dictionary<string, object?> tree when shape.Kind is not ShapeKind.Map => OfTree(tree),
        IDictionary map => OfMap(map, shape.Element ?? Shape.Any, managedFields),
        IList list => OfList(list, shape.Kind == ShapeKind.List ? shape.Element! : Shape.Any, managedFields),
        _ => throw new InvalidOperationException($"a {value.GetType().Name} cannot be in a tree as {shape.Kind}"),
    };

    /// <summary>Whole numbers are written without a fraction and so read as integers.</summary>
    private static object OfDouble(double value) => value == Math.Truncate(value) && Math.Abs(value) < 1e15 ? (long)value : value;

    private static object? OfTree(object? tree) => tree switch
    {
        Dictionary<string, object?> map => map.ToDictionary(p => p.Key, p => OfTree(p.Value), StringComparer.Ordinal),
        List<object?> list => list.ConvertAll(OfTree),
        null or string or bool or long => tree,
        _ => OfValue(tree, Shape.Any, true),
    };

    private static Dictionary<string, object?> OfMap(IDictionary map, Shape element, bool managedFields)
    {
        var result = new Dictionary<string, object?>(map.Count, StringComparer.Ordinal);
        var keys = new string[map.Count];
        map.Keys.CopyTo(keys, 0);
        if (keys.Length > 1)
        {
            Array.Sort(keys, StringComparer.Ordinal);
        }

        foreach (var key in keys)
        {
            result[key] = OfValue(map[key], element, managedFields);
        }

        return result;
    }

    private static List<object?> OfList(IList list, Shape element, bool managedFields)
    {
        var result = new List<object?>(list.Count);
        foreach (var item in list)
        {
            result.Add(OfValue(item, element, managedFields));
        }

        return result;
    }

    private static object? Zero(FieldSchema field)
    {
        if (field.IsPointer)
        {
            return null;
        }

        return field.Shape.Kind switch
        {
            ShapeKind.String => "",
            ShapeKind.Duration => "0s",
            ShapeKind.Int32 or ShapeKind.Int64 or ShapeKind.Double or ShapeKind.IntOrString => 0L,
            ShapeKind.Bool => false,
            ShapeKind.Quantity => "0",
            ShapeKind.Struct => Of(field.Shape.Type.NewBare()),
            _ => null,
        };
    }
}
