using System.Collections;
using System.Collections.Concurrent;
using System.Text;
using Hardway.Api;

namespace Hardway.ApiServer.Registry;

/// <summary>Fills in the defaults that the schema marks, all the way down. What a type never needs is found out once.</summary>
internal static class SchemaDefaults
{
    private static readonly ConcurrentDictionary<TypeSchema, bool> s_needed = new();

    public static void Apply(ApiStruct value)
    {
        if (!Needed(value.StructSchema))
        {
            return;
        }

        foreach (var field in value.StructSchema.Fields)
        {
            var item = value.Get(field.Ordinal);
            if (item is null)
            {
                if (field.Default is { } text)
                {
                    item = Parse(text, field);
                    value.Set(field.Ordinal, item);
                }
                else if (field.Shape.Kind == ShapeKind.Struct && !field.IsPointer && Needed(field.Shape.Type))
                {
                    item = field.Shape.Type.NewBare();
                    value.Set(field.Ordinal, item);
                }
            }

            Descend(item, field.Shape);
        }
    }

    private static void Descend(object? item, Shape shape)
    {
        switch (item)
        {
            case ApiStruct inner:
                Apply(inner);
                break;
            case IDictionary map when shape.Element is { Kind: ShapeKind.Struct or ShapeKind.List or ShapeKind.Map } element:
                foreach (var inner in map.Values)
                {
                    Descend(inner, element);
                }

                break;
            case IList list when shape.Element is { Kind: ShapeKind.Struct or ShapeKind.List or ShapeKind.Map } element:
                foreach (var inner in list)
                {
                    Descend(inner, element);
                }

                break;
        }
    }

    private static object? Parse(string text, FieldSchema field) => Convert(ApiJson.DeserializeTree(Encoding.UTF8.GetBytes(text)), field.Shape);

    /// <summary>A default is a scalar, or an empty or small object.</summary>
    private static object? Convert(object? tree, Shape shape) => (shape.Kind, tree) switch
    {
        (ShapeKind.String, string s) => s,
        (ShapeKind.Bool, bool b) => b,
        (ShapeKind.Int32, long n) => (int)n,
        (ShapeKind.Int64, long n) => n,
        (ShapeKind.Double, long n) => (double)n,
        (ShapeKind.Double, double d) => d,
        (ShapeKind.IntOrString, long n) => new IntOrString((int)n),
        (ShapeKind.IntOrString, string s) => new IntOrString(s),
        (ShapeKind.Quantity, string s) => Quantity.Parse(s),
        (ShapeKind.Duration, string s) => ApiTime.TryParseDuration(s, out var span) ? span : null,
        (ShapeKind.Struct, Dictionary<string, object?> map) => Bare(shape.Type, map),
        (ShapeKind.List, List<object?> list) => List(shape, list),
        (ShapeKind.Any or ShapeKind.Raw, _) => ApiValues.CloneTree(tree),
        _ => throw new InvalidOperationException($"a default of {shape.Kind} cannot be {tree?.GetType().Name}"),
    };

    private static ApiStruct Bare(TypeSchema type, Dictionary<string, object?> map)
    {
        var value = type.NewBare();
        foreach (var (name, item) in map)
        {
            var field = type.Field(name) ?? throw new InvalidOperationException($"{type} has no field {name}");
            value.Set(field.Ordinal, Convert(item, field.Shape));
        }

        return value;
    }

    private static IList List(Shape shape, List<object?> items)
    {
        var list = shape.NewList();
        foreach (var item in items)
        {
            list.Add(Convert(item, shape.Element!));
        }

        return list;
    }

    private static bool Needed(TypeSchema type)
    {
        if (s_needed.TryGetValue(type, out var known))
        {
            return known;
        }

        var needed = HasDefaults(type, []);
        s_needed[type] = needed;
        return needed;
    }

    private static bool HasDefaults(TypeSchema type, HashSet<TypeSchema> seen)
    {
        if (!seen.Add(type))
        {
            return false;
        }

        foreach (var field in type.Fields)
        {
            if (field.Default is not null || (Innermost(field.Shape) is { } inner && HasDefaults(inner, seen)))
            {
                return true;
            }
        }

        return false;
    }

    private static TypeSchema? Innermost(Shape shape)
    {
        while (shape.Element is not null)
        {
            shape = shape.Element;
        }

        return shape.Kind == ShapeKind.Struct ? shape.Type : null;
    }
}
