using System.Collections;

namespace Hardway.Api.Protobuf;

/// <summary>The envelope of a protobuf body: what kind it is, and the message.</summary>
public readonly record struct ProtoEnvelope(string ApiVersion, string Kind, ReadOnlyMemory<byte> Message);

/// <summary>Reads application/vnd.kubernetes.protobuf by the schema: four bytes "k8s\0", an envelope with kind and version, then the message.</summary>
public static class ApiProtobuf
{
    public const string MediaType = "application/vnd.kubernetes.protobuf";
    private const int MaxDepth = 128;

    private static ReadOnlySpan<byte> Magic => "k8s\0"u8;

    public static bool IsProtobuf(ReadOnlySpan<byte> data) => data.StartsWith(Magic);

    /// <exception cref="ApiDecodeException">The body is no such envelope.</exception>
    public static ProtoEnvelope ReadEnvelope(ReadOnlyMemory<byte> body)
    {
        if (!IsProtobuf(body.Span))
        {
            throw ProtoReader.Broken("it does not begin as Kubernetes' protobuf does");
        }

        var reader = new ProtoReader(body.Span[4..]);
        string version = "", kind = "";
        ReadOnlyMemory<byte> message = default;
        while (reader.Next())
        {
            switch (reader.Number)
            {
                case 1:
                    (version, kind) = ReadTypeMeta(reader.ExpectBytes());
                    break;
                case 2:
                    message = reader.ExpectBytes().ToArray();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return new ProtoEnvelope(version, kind, message);
    }

    /// <summary>Reads a message of a type. A kind carries what the envelope says.</summary>
    /// <exception cref="ApiDecodeException">The message does not fit the type.</exception>
    public static ApiStruct Deserialize(TypeSchema type, ReadOnlyMemory<byte> body)
    {
        var envelope = ReadEnvelope(body);
        var value = ReadStruct(type, envelope.Message.Span, 0);
        Set(value, "apiVersion", envelope.ApiVersion);
        Set(value, "kind", envelope.Kind);
        return value;
    }

    private static void Set(ApiStruct value, string name, string text)
    {
        if (value.StructSchema.Field(name) is { } field && (field.Flags & FieldFlags.Envelope) != 0)
        {
            value.Set(field.Ordinal, text.Length == 0 ? null : text);
        }
    }

    private static (string Version, string Kind) ReadTypeMeta(ReadOnlySpan<byte> data)
    {
        var reader = new ProtoReader(data);
        string version = "", kind = "";
        while (reader.Next())
        {
            switch (reader.Number)
            {
                case 1:
                    version = reader.ExpectString();
                    break;
                case 2:
                    kind = reader.ExpectString();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return (version, kind);
    }

    private static ApiStruct ReadStruct(TypeSchema type, ReadOnlySpan<byte> data, int depth)
    {
        var value = type.NewBare();
        ReadInto(value, MessagePlan.Of(type), data, depth);
        return value;
    }

    private static void ReadInto(ApiStruct value, MessagePlan plan, ReadOnlySpan<byte> data, int depth)
    {
        if (depth > MaxDepth)
        {
            throw ProtoReader.Broken("it is nested too deeply");
        }

        var reader = new ProtoReader(data);
        while (reader.Next())
        {
            if (plan.Fields.TryGetValue(reader.Number, out var field))
            {
                value.Set(field.Ordinal, ReadField(ref reader, value, field, depth));
            }
            else if (plan.Wrappers.TryGetValue(reader.Number, out var wrapper))
            {
                ReadInto(value, wrapper, reader.ExpectBytes(), depth + 1);
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private static object? ReadField(ref ProtoReader reader, ApiStruct owner, FieldSchema field, int depth)
    {
        var shape = field.Shape;
        switch (shape.Kind)
        {
            case ShapeKind.List when IsWrapped(field):
                return ReadItems(shape, reader.ExpectBytes());
            case ShapeKind.List:
                var list = owner.Get(field.Ordinal) as IList ?? shape.NewList();
                list.Add(ReadValue(ref reader, shape.Element!, depth));
                return list;
            case ShapeKind.Map:
                var map = owner.Get(field.Ordinal) as IDictionary ?? shape.NewMap();
                ReadEntry(map, shape.Element!, reader.ExpectBytes(), depth);
                return map;
            default:
                return ReadValue(ref reader, shape, depth);
        }
    }

    /// <summary>Lists of texts that are messages of their own on the wire: Verbs, ExtraValue.</summary>
    private static bool IsWrapped(FieldSchema field) => field.ProtoMessage is { } name && (name.EndsWith(".Verbs", StringComparison.Ordinal) || name.EndsWith(".ExtraValue", StringComparison.Ordinal));

    private static IList ReadItems(Shape shape, ReadOnlySpan<byte> data)
    {
        var list = shape.NewList();
        var reader = new ProtoReader(data);
        while (reader.Next())
        {
            if (reader.Number == 1)
            {
                list.Add(reader.ExpectString());
            }
            else
            {
                reader.Skip();
            }
        }

        return list;
    }

    private static void ReadEntry(IDictionary map, Shape element, ReadOnlySpan<byte> data, int depth)
    {
        var reader = new ProtoReader(data);
        var key = "";
        object? value = null;
        while (reader.Next())
        {
            switch (reader.Number)
            {
                case 1:
                    key = reader.ExpectString();
                    break;
                case 2:
                    value = element.Kind == ShapeKind.List ? ReadItems(element, reader.ExpectBytes()) : ReadValue(ref reader, element, depth);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        map[key] = value ?? ProtoScalars.Zero(element);
    }

    private static object? ReadValue(ref ProtoReader reader, Shape shape, int depth) => shape.Kind switch
    {
        ShapeKind.String => reader.ExpectString(),
        ShapeKind.Int32 => (int)(long)reader.ExpectVarint(),
        ShapeKind.Int64 => (long)reader.ExpectVarint(),
        ShapeKind.Bool => reader.ExpectVarint() != 0,
        ShapeKind.Double => reader.ExpectDouble(),
        ShapeKind.Bytes => reader.ExpectBytes().ToArray(),
        ShapeKind.Quantity => ProtoScalars.Quantity(reader.ExpectBytes()),
        ShapeKind.IntOrString => ProtoScalars.IntOrString(reader.ExpectBytes()),
        ShapeKind.Time or ShapeKind.MicroTime => ProtoScalars.Time(reader.ExpectBytes()),
        ShapeKind.Duration => ProtoScalars.Duration(reader.ExpectBytes()),
        ShapeKind.Struct => ReadStruct(shape.Type, reader.ExpectBytes(), depth + 1),
        ShapeKind.Any or ShapeKind.Raw => ProtoScalars.Tree(reader.ExpectBytes()),
        _ => throw new ApiDecodeException($"field {reader.Number} of this kind is not read from protobuf; send JSON"),
    };
}
