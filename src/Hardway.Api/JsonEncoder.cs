using System.Collections;
using System.Text.Json;

namespace Hardway.Api;

/// <summary>Writes values by their shape.</summary>
internal static class JsonEncoder
{
    public static void Write(Utf8JsonWriter writer, ApiStruct value)
    {
        writer.WriteStartObject();
        foreach (var field in value.StructSchema.Fields)
        {
            var item = value.Get(field.Ordinal);
            if (!field.IsOmitted(item))
            {
                writer.WritePropertyName(field.EncodedName);
                if (item is null)
                {
                    WriteZero(writer, field);
                }
                else
                {
                    WriteValue(writer, item, field.Shape);
                }
            }
        }

        if (value.Rest is { Count: > 0 } rest)
        {
            WriteSortedMembers(writer, rest);
        }

        writer.WriteEndObject();
    }

    public static void WriteValue(Utf8JsonWriter writer, object? value, Shape shape)
    {
        switch (value)
        {
            case null:
                writer.WriteNullValue();
                break;
            case string text:
                writer.WriteStringValue(text);
                break;
            case ApiStruct s:
                Write(writer, s);
                break;
            case bool b:
                writer.WriteBooleanValue(b);
                break;
            case int i:
                writer.WriteNumberValue(i);
                break;
            case long l:
                writer.WriteNumberValue(l);
                break;
            case double d:
                WriteDouble(writer, d);
                break;
            case byte[] bytes:
                writer.WriteBase64StringValue(bytes);
                break;
            case Quantity q:
                writer.WriteStringValue(q.ToString());
                break;
            case IntOrString { IsInt: true } n:
                writer.WriteNumberValue(n.IntValue);
                break;
            case IntOrString t:
                writer.WriteStringValue(t.StringValue);
                break;
            case DateTimeOffset time:
                writer.WriteStringValue(shape.Kind == ShapeKind.MicroTime ? ApiTime.FormatMicro(time) : ApiTime.Format(time));
                break;
            case TimeSpan span:
                writer.WriteStringValue(ApiTime.FormatDuration(span));
                break;
            case Dictionary<string, object?> tree when shape.Kind is not ShapeKind.Map:
                WriteTree(writer, tree);
                break;
            case IDictionary map:
                WriteMap(writer, map, shape);
                break;
            case IList list:
                WriteList(writer, list, shape);
                break;
            default:
                throw new InvalidOperationException($"a {value.GetType().Name} cannot be written as {shape.Kind}");
        }
    }

    public static void WriteTree(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case Dictionary<string, object?> map:
                writer.WriteStartObject();
                foreach (var (key, item) in map)
                {
                    writer.WritePropertyName(key);
                    WriteTree(writer, item);
                }

                writer.WriteEndObject();
                break;
            case List<object?> list:
                writer.WriteStartArray();
                foreach (var item in list)
                {
                    WriteTree(writer, item);
                }

                writer.WriteEndArray();
                break;
            default:
                WriteValue(writer, value, Shape.Any);
                break;
        }
    }

    /// <summary>Sorted by name all the way down: equal trees have equal bytes, whatever order they came in.</summary>
    private static void WriteSorted(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case Dictionary<string, object?> map:
                writer.WriteStartObject();
                WriteSortedMembers(writer, map);
                writer.WriteEndObject();
                break;
            case List<object?> list:
                writer.WriteStartArray();
                foreach (var item in list)
                {
                    WriteSorted(writer, item);
                }

                writer.WriteEndArray();
                break;
            default:
                WriteValue(writer, value, Shape.Any);
                break;
        }
    }

    private static void WriteSortedMembers(Utf8JsonWriter writer, Dictionary<string, object?> map)
    {
        foreach (var key in SortedKeys(map.Keys, map.Count))
        {
            writer.WritePropertyName(key);
            WriteSorted(writer, map[key]);
        }
    }

    /// <summary>Whole doubles are written without a fraction, as Go does.</summary>
    private static void WriteDouble(Utf8JsonWriter writer, double value)
    {
        if (value == Math.Truncate(value) && Math.Abs(value) < 1e15)
        {
            writer.WriteNumberValue((long)value);
        }
        else
        {
            writer.WriteNumberValue(value);
        }
    }

    private static void WriteZero(Utf8JsonWriter writer, FieldSchema field)
    {
        if (field.IsPointer)
        {
            writer.WriteNullValue();
            return;
        }

        switch (field.Shape.Kind)
        {
            case ShapeKind.String or ShapeKind.Duration:
                writer.WriteStringValue(field.Shape.Kind == ShapeKind.String ? "" : "0s");
                break;
            case ShapeKind.Int32 or ShapeKind.Int64 or ShapeKind.Double or ShapeKind.IntOrString:
                writer.WriteNumberValue(0);
                break;
            case ShapeKind.Bool:
                writer.WriteBooleanValue(false);
                break;
            case ShapeKind.Quantity:
                writer.WriteStringValue("0");
                break;
            case ShapeKind.Struct:
                Write(writer, field.Shape.Type.NewBare());
                break;
            default:
                writer.WriteNullValue();
                break;
        }
    }

    private static void WriteMap(Utf8JsonWriter writer, IDictionary map, Shape shape)
    {
        var element = shape.Element ?? Shape.Any;
        writer.WriteStartObject();
        if (map is Dictionary<string, string> strings)
        {
            foreach (var key in SortedKeys(strings.Keys, strings.Count))
            {
                writer.WriteString(key, strings[key]);
            }
        }
        else
        {
            foreach (var key in SortedKeys(map.Keys.Cast<string>(), map.Count))
            {
                writer.WritePropertyName(key);
                WriteValue(writer, map[key], element);
            }
        }

        writer.WriteEndObject();
    }

    private static string[] SortedKeys(IEnumerable<string> keys, int count)
    {
        var sorted = new string[count];
        var i = 0;
        foreach (var key in keys)
        {
            sorted[i++] = key;
        }

        if (count > 1)
        {
            Array.Sort(sorted, StringComparer.Ordinal);
        }

        return sorted;
    }

    private static void WriteList(Utf8JsonWriter writer, IList list, Shape shape)
    {
        var element = shape.Kind == ShapeKind.List ? shape.Element! : Shape.Any;
        writer.WriteStartArray();
        if (list is List<string> strings)
        {
            foreach (var text in strings)
            {
                writer.WriteStringValue(text);
            }
        }
        else
        {
            for (var i = 0; i < list.Count; i++)
            {
                WriteValue(writer, list[i], element);
            }
        }

        writer.WriteEndArray();
    }
}
