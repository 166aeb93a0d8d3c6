using System.Collections;

namespace Hardway.Api.Protobuf;

/// <summary>
/// Writes values as upstream's generated code does: fields by number, those that are no pointers even when they are zero, maps sorted by key.
/// From the end to the beginning.
/// </summary>
internal static class MessageWriter
{
    public static void Write(BackBuffer buffer, ApiStruct value) => Write(buffer, value, value.StructSchema.Plan);

    private static void Write(BackBuffer buffer, ApiStruct value, MessagePlan plan)
    {
        for (var i = plan.Parts.Length - 1; i >= 0; i--)
        {
            var part = plan.Parts[i];
            if (part.Wrapper is { } wrapper)
            {
                var before = buffer.Length;
                Write(buffer, value, wrapper);
                buffer.Close(part.Number, before);
                continue;
            }

            var field = part.Field!;
            var item = value.Get(field.Ordinal);
            if (item is not null)
            {
                WriteField(buffer, field, item);
            }
            else if (!field.IsPointer)
            {
                WriteZero(buffer, part.Number, field.Shape);
            }
        }
    }

    private static void WriteField(BackBuffer buffer, FieldSchema field, object item)
    {
        var number = field.ProtoNumber;
        switch (field.Shape.Kind)
        {
            case ShapeKind.List when field.IsWrappedList:
                var before = buffer.Length;
                WriteList(buffer, 1, (IList)item, Shape.String);
                buffer.Close(number, before);
                break;
            case ShapeKind.List:
                WriteList(buffer, number, (IList)item, field.Shape.Element!);
                break;
            case ShapeKind.Map:
                WriteMap(buffer, number, (IDictionary)item, field.Shape.Element!);
                break;
            default:
                WriteValue(buffer, number, item, field.Shape);
                break;
        }
    }

    private static void WriteList(BackBuffer buffer, int number, IList list, Shape element)
    {
        for (var i = list.Count - 1; i >= 0; i--)
        {
            WriteValue(buffer, number, list[i], element);
        }
    }

    private static void WriteMap(BackBuffer buffer, int number, IDictionary map, Shape element)
    {
        var keys = new string[map.Count];
        map.Keys.CopyTo(keys, 0);
        Array.Sort(keys, StringComparer.Ordinal);
        for (var i = keys.Length - 1; i >= 0; i--)
        {
            var before = buffer.Length;
            if (element.Kind == ShapeKind.List)
            {
                WriteList(buffer, 1, (IList)map[keys[i]]!, element.Element!);
                buffer.Close(2, before);
            }
            else
            {
                WriteValue(buffer, 2, map[keys[i]], element);
            }

            buffer.Text(1, keys[i]);
            buffer.Close(number, before);
        }
    }

    private static void WriteValue(BackBuffer buffer, int number, object? value, Shape shape)
    {
        var before = buffer.Length;
        switch (shape.Kind, value)
        {
            case (ShapeKind.Any or ShapeKind.Raw, _):
                if (value is not null)
                {
                    buffer.Bytes(1, ApiJson.SerializeTree(value));
                }

                buffer.Close(number, before);
                break;
            case (_, string text):
                buffer.Text(number, text);
                break;
            case (ShapeKind.OneOf, _):
                WriteOneOf(buffer, value!, shape);
                buffer.Close(number, before);
                break;
            case (_, ApiStruct inner):
                Write(buffer, inner);
                buffer.Close(number, before);
                break;
            case (_, bool b):
                buffer.Number(number, b ? 1u : 0u);
                break;
            case (_, int i):
                buffer.Number(number, (ulong)(long)i);
                break;
            case (_, long l):
                buffer.Number(number, (ulong)l);
                break;
            case (_, double d):
                buffer.Double(number, d);
                break;
            case (_, byte[] bytes):
                buffer.Bytes(number, bytes);
                break;
            default:
                WriteScalarMessage(buffer, value, shape);
                buffer.Close(number, before);
                break;
        }
    }

    /// <summary>What is one word in JSON and a message here.</summary>
    private static void WriteScalarMessage(BackBuffer buffer, object? value, Shape shape)
    {
        switch (value)
        {
            case Quantity quantity:
                buffer.Text(1, quantity.ToString());
                break;
            case IntOrString either:
                buffer.Text(3, either.IsInt ? "" : either.StringValue);
                buffer.Number(2, either.IsInt ? (ulong)(long)either.IntValue : 0);
                buffer.Number(1, either.IsInt ? 0u : 1u);
                break;
            case DateTimeOffset time when time != default:
                buffer.Number(2, shape.Kind == ShapeKind.MicroTime ? (ulong)(time.Ticks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond * 1000) : 0);
                buffer.Number(1, (ulong)time.ToUnixTimeSeconds());
                break;
            case TimeSpan span:
                buffer.Number(1, (ulong)(span.Ticks * 100));
                break;
        }
    }

    private static void WriteOneOf(BackBuffer buffer, object value, Shape shape)
    {
        switch (value)
        {
            case bool b:
                buffer.Number(1, b ? 1u : 0u);
                break;
            case IList list:
                WriteList(buffer, 2, list, Array.Find(shape.Alternatives, a => a.Kind == ShapeKind.List)!.Element!);
                break;
            case ApiStruct inner:
                var alternative = Array.Find(shape.Alternatives, a => a.Kind == ShapeKind.Struct)!;
                var number = ProtoOneOf.Number(shape, alternative);
                WriteValue(buffer, number, inner, alternative);
                if (number == 2)
                {
                    // Of the boolean: a schema allows.
                    buffer.Number(1, 1);
                }

                break;
        }
    }

    private static void WriteZero(BackBuffer buffer, int number, Shape shape)
    {
        switch (shape.Kind)
        {
            case ShapeKind.String:
                buffer.Text(number, "");
                break;
            case ShapeKind.Int32 or ShapeKind.Int64 or ShapeKind.Bool:
                buffer.Number(number, 0);
                break;
            case ShapeKind.Double:
                buffer.Double(number, 0);
                break;
            case ShapeKind.Struct:
                buffer.Bytes(number, shape.Type.Plan.Zero(shape.Type));
                break;
            case ShapeKind.Quantity or ShapeKind.IntOrString or ShapeKind.Duration:
                WriteValue(buffer, number, ProtoScalars.Zero(shape), shape);
                break;
            case ShapeKind.Time or ShapeKind.MicroTime or ShapeKind.Raw:
                buffer.Bytes(number, []);
                break;
        }
    }
}
