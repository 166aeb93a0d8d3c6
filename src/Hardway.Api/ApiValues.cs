using System.Collections;

namespace Hardway.Api;

/// <summary>Copying and comparing values of any shape.</summary>
public static class ApiValues
{
    private static readonly Dictionary<string, object?> s_noRest = [];

    public static ApiStruct Clone(ApiStruct value)
    {
        var schema = value.StructSchema;
        var copy = schema.New();
        foreach (var field in schema.Fields)
        {
            // Set on every field: a new object carries kind and apiVersion, the original may not.
            copy.Set(field.Ordinal, CloneValue(value.Get(field.Ordinal), field.Shape));
        }

        foreach (var (key, item) in value.Rest ?? s_noRest)
        {
            copy.Rest![key] = CloneTree(item);
        }

        return copy;
    }

    public static object? CloneValue(object? value, Shape shape)
    {
        switch (value)
        {
            case null or string:
                return value;
            case ApiStruct s:
                return Clone(s);
            case byte[] bytes:
                return bytes.Clone();
            case Dictionary<string, string> map:
                return new Dictionary<string, string>(map, StringComparer.Ordinal);
            case List<string> list:
                return new List<string>(list);
        }

        switch (shape.Kind)
        {
            case ShapeKind.List:
                var copy = shape.NewList();
                foreach (var item in (IList)value)
                {
                    copy.Add(CloneValue(item, shape.Element!));
                }

                return copy;
            case ShapeKind.Map:
                var clone = shape.NewMap();
                foreach (DictionaryEntry entry in (IDictionary)value)
                {
                    clone[entry.Key] = CloneValue(entry.Value, shape.Element!);
                }

                return clone;
            case ShapeKind.OneOf:
                return CloneOneOf(value, shape);
            case ShapeKind.Any or ShapeKind.Raw:
                return CloneTree(value);
            default:
                return value;
        }
    }

    /// <summary>Copies a JSON tree (also one that holds structs).</summary>
    public static object? CloneTree(object? value) => value switch
    {
        Dictionary<string, object?> map => CloneMap(map),
        List<object?> list => list.ConvertAll(CloneTree),
        ApiStruct s => Clone(s),
        _ => value,
    };

    public static bool AreEqual(ApiStruct? a, ApiStruct? b)
    {
        if (ReferenceEquals(a, b))
        {
            return true;
        }

        if (a is null || b is null)
        {
            return IsEmpty(a ?? b);
        }

        if (a.StructSchema != b.StructSchema)
        {
            return false;
        }

        foreach (var field in a.StructSchema.Fields)
        {
            var x = a.Get(field.Ordinal);
            var y = b.Get(field.Ordinal);
            // A pointer's presence counts; a plain struct that was never touched equals an empty one.
            if (field.IsPointer && field.Shape.Kind == ShapeKind.Struct && x is null != y is null)
            {
                return false;
            }

            if (!AreEqual(x, y, field.Shape))
            {
                return false;
            }
        }

        return a.Rest is null || TreesEqual(a.Rest, b.Rest);
    }

    public static bool AreEqual(object? x, object? y, Shape shape)
    {
        if (ReferenceEquals(x, y))
        {
            return true;
        }

        if (x is null || y is null)
        {
            return IsEmptyCollection(x ?? y) || shape.Kind == ShapeKind.Struct && IsEmpty((ApiStruct)(x ?? y)!);
        }

        return shape.Kind switch
        {
            ShapeKind.Struct => AreEqual((ApiStruct)x, (ApiStruct)y),
            ShapeKind.Bytes => ((byte[])x).AsSpan().SequenceEqual((byte[])y),
            ShapeKind.List => ListsEqual((IList)x, (IList)y, shape.Element!),
            ShapeKind.Map => MapsEqual((IDictionary)x, (IDictionary)y, shape.Element!),
            ShapeKind.Any or ShapeKind.Raw or ShapeKind.OneOf => TreesEqual(x, y),
            _ => x.Equals(y),
        };
    }

    public static bool TreesEqual(object? x, object? y)
    {
        switch (x, y)
        {
            case (null, null):
                return true;
            case (null, _) or (_, null):
                return false;
            case (ApiStruct a, ApiStruct b):
                return AreEqual(a, b);
            case (IDictionary a, IDictionary b):
                return MapsEqual(a, b, Shape.Any);
            case (IList a, IList b):
                return ListsEqual(a, b, Shape.Any);
            case (long a, double b):
                return a == b;
            case (double a, long b):
                return a == b;
            default:
                return x.Equals(y);
        }
    }

    /// <summary>
    /// Makes empty lists and maps none, at any depth of the typed part: protobuf cannot tell them apart, so an object that went through it has none.
    /// </summary>
    public static void ForgetEmpty(ApiStruct value)
    {
        var schema = value.StructSchema;
        if (!schema.ShowsEmpty)
        {
            return;
        }

        foreach (var field in schema.Fields)
        {
            if (field.Shape.Kind is not (ShapeKind.Struct or ShapeKind.List or ShapeKind.Map) || value.Get(field.Ordinal) is not { } item)
            {
                continue;
            }

            if (item is ICollection { Count: 0 })
            {
                value.Set(field.Ordinal, null);
            }
            else
            {
                ForgetEmptyInside(item, field.Shape);
            }
        }
    }

    private static void ForgetEmptyInside(object item, Shape shape)
    {
        switch (item)
        {
            case ApiStruct inner:
                ForgetEmpty(inner);
                break;
            case IDictionary map when shape.Element!.Kind is ShapeKind.Struct or ShapeKind.List or ShapeKind.Map:
                foreach (var element in map.Values)
                {
                    ForgetEmptyInside(element!, shape.Element);
                }

                break;
            case IList list when shape.Element!.Kind is ShapeKind.Struct or ShapeKind.List or ShapeKind.Map:
                foreach (var element in list)
                {
                    ForgetEmptyInside(element!, shape.Element);
                }

                break;
        }
    }

    private static Dictionary<string, object?> CloneMap(Dictionary<string, object?> map)
    {
        var copy = new Dictionary<string, object?>(map.Count, StringComparer.Ordinal);
        foreach (var (key, value) in map)
        {
            copy[key] = CloneTree(value);
        }

        return copy;
    }

    private static object? CloneOneOf(object value, Shape shape)
    {
        var list = shape.Alternatives.FirstOrDefault(a => a.Kind == ShapeKind.List);
        return value is IList && list is not null ? CloneValue(value, list) : CloneTree(value);
    }

    private static bool ListsEqual(IList a, IList b, Shape element)
    {
        if (a.Count != b.Count)
        {
            return false;
        }

        for (var i = 0; i < a.Count; i++)
        {
            if (!AreEqual(a[i], b[i], element))
            {
                return false;
            }
        }

        return true;
    }

    private static bool MapsEqual(IDictionary a, IDictionary b, Shape element)
    {
        if (a.Count != b.Count)
        {
            return false;
        }

        foreach (DictionaryEntry entry in a)
        {
            if (!b.Contains(entry.Key) || !AreEqual(entry.Value, b[entry.Key], element))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsEmptyCollection(object? value) => value is ICollection { Count: 0 };

    private static bool IsEmpty(ApiStruct? value)
    {
        if (value is null)
        {
            return true;
        }

        foreach (var field in value.StructSchema.Fields)
        {
            var item = value.Get(field.Ordinal);
            if (item is null || (field.Flags & FieldFlags.Envelope) != 0 || IsEmptyCollection(item) || (item is ApiStruct inner && !field.IsPointer && IsEmpty(inner)))
            {
                continue;
            }

            return false;
        }

        return true;
    }
}
