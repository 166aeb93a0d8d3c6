using System.Collections;

namespace Hardway.Api.Protobuf;

/// <summary>
/// Reads one body's messages into values. Depth and the number of values are bounded, so that a hostile body costs no more memory than an
/// honest one of its size. For one body; not shared.
/// </summary>
/// <param name="nested">The body is itself embedded in another: it must not embed a further one.</param>
internal sealed class MessageReader(bool nested)
{
    private const int MaxDepth = 128;
    private const int MaxValues = 512 * 1024;
    private int _values;

    public ApiStruct Read(TypeSchema type, ReadOnlySpan<byte> data) => ReadStruct(type, data, 0);

    private ApiStruct ReadStruct(TypeSchema type, ReadOnlySpan<byte> data, int depth)
    {
        Count();
        var value = type.NewBare();
        ReadInto(value, type.Plan, data, depth);
        return value;
    }

    private void Count()
    {
        if (++_values > MaxValues)
        {
            throw ProtoReader.Broken($"it holds more than {MaxValues} values");
        }
    }

    private void ReadInto(ApiStruct value, MessagePlan plan, ReadOnlySpan<byte> data, int depth)
    {
        if (depth > MaxDepth)
        {
            throw ProtoReader.Broken("it is nested too deeply");
        }

        var reader = new ProtoReader(data);
        while (reader.Next())
        {
            switch (plan.Find(reader.Number))
            {
                case { Field: { } field }:
                    value.Set(field.Ordinal, ReadField(ref reader, value, field, depth));
                    break;
                case { Wrapper: { } wrapper }:
                    ReadInto(value, wrapper, reader.ExpectBytes(), depth + 1);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private object? ReadField(ref ProtoReader reader, ApiStruct owner, FieldSchema field, int depth)
    {
        var shape = field.Shape;
        switch (shape.Kind)
        {
            case ShapeKind.List when field.IsWrappedList:
                return ReadTexts(shape, reader.ExpectBytes());
            case ShapeKind.List:
                var list = owner.Get(field.Ordinal) as IList ?? shape.NewList();
                Count();
                list.Add(ReadValue(ref reader, shape.Element!, depth) ?? ProtoScalars.Zero(shape.Element!));
                return list;
            case ShapeKind.Map:
                var map = owner.Get(field.Ordinal) as IDictionary ?? shape.NewMap();
                Count();
                ReadEntry(map, shape.Element!, reader.ExpectBytes(), depth);
                return map;
            default:
                return ReadValue(ref reader, shape, depth);
        }
    }

    private IList ReadTexts(Shape shape, ReadOnlySpan<byte> data)
    {
        var list = shape.NewList();
        var reader = new ProtoReader(data);
        while (reader.Next())
        {
            if (reader.Number == 1)
            {
                Count();
                list.Add(reader.ExpectString());
            }
            else
            {
                reader.Skip();
            }
        }

        return list;
    }

    private void ReadEntry(IDictionary map, Shape element, ReadOnlySpan<byte> data, int depth)
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
                    value = element.Kind == ShapeKind.List ? ReadTexts(element, reader.ExpectBytes()) : ReadValue(ref reader, element, depth);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        map[key] = value ?? ProtoScalars.Zero(element);
    }

    private object? ReadValue(ref ProtoReader reader, Shape shape, int depth) => shape.Kind switch
    {
        ShapeKind.String => reader.ExpectString(),
        ShapeKind.Int32 => Boxes.Of((int)(long)reader.ExpectVarint()),
        ShapeKind.Int64 => Boxes.Of((long)reader.ExpectVarint()),
        ShapeKind.Bool => Boxes.Of(reader.ExpectVarint() != 0),
        ShapeKind.Double => reader.ExpectDouble(),
        ShapeKind.Bytes => reader.ExpectBytes().ToArray(),
        ShapeKind.Quantity => ProtoScalars.Quantity(reader.ExpectBytes()),
        ShapeKind.IntOrString => ProtoScalars.IntOrString(reader.ExpectBytes()),
        ShapeKind.Time => ProtoScalars.Time(reader.ExpectBytes(), TimeSpan.TicksPerSecond),
        ShapeKind.MicroTime => ProtoScalars.Time(reader.ExpectBytes(), TimeSpan.TicksPerMicrosecond),
        ShapeKind.Duration => ProtoScalars.Duration(reader.ExpectBytes()),
        ShapeKind.Struct => ReadStruct(shape.Type, reader.ExpectBytes(), depth + 1),
        ShapeKind.Any or ShapeKind.Raw => ReadTree(reader.ExpectBytes()),
        ShapeKind.OneOf => ReadOneOf(shape, reader.ExpectBytes(), depth + 1),
        _ => throw new ApiDecodeException($"field {reader.Number} of this kind is not read from protobuf; send JSON"),
    };

    /// <summary>RawExtension, JSON and FieldsV1: an encoded value in field 1.</summary>
    private object? ReadTree(ReadOnlySpan<byte> data)
    {
        var reader = new ProtoReader(data);
        object? tree = null;
        while (reader.Next())
        {
            if (reader.Number == 1)
            {
                tree = FromRaw(reader.ExpectBytes());
            }
            else
            {
                reader.Skip();
            }
        }

        return tree;
    }

    private object? FromRaw(ReadOnlySpan<byte> raw)
    {
        if (raw.IsEmpty)
        {
            return null;
        }

        if (!ApiProtobuf.IsProtobuf(raw))
        {
            return ApiJson.DeserializeTree(raw);
        }

        if (nested)
        {
            throw ProtoReader.Broken("an embedded object embeds another in protobuf");
        }

        var envelope = ApiProtobuf.ReadEnvelope(raw.ToArray());
        var slash = envelope.ApiVersion.IndexOf('/');
        var (group, version) = slash < 0 ? ("", envelope.ApiVersion) : (envelope.ApiVersion[..slash], envelope.ApiVersion[(slash + 1)..]);
        var type = ApiCatalog.FindKindSchema(group, version, envelope.Kind) ?? throw new ApiDecodeException($"an embedded {envelope.Kind} of {envelope.ApiVersion} is of no known kind");
        var value = new MessageReader(nested: true).Read(type, envelope.Message.Span);
        ApiProtobuf.SetEnvelope(value, envelope);
        return ApiJson.ToTree(value);
    }

    /// <summary>One of a schema, a list of schemas or texts, and a boolean, each in a field of its own (see <see cref="ProtoOneOf"/>).</summary>
    private object? ReadOneOf(Shape shape, ReadOnlySpan<byte> data, int depth)
    {
        var reader = new ProtoReader(data);
        object? value = null;
        while (reader.Next())
        {
            if (ProtoOneOf.Alternative(shape, reader.Number) is not { } alternative)
            {
                reader.Skip();
            }
            else if (alternative.Kind == ShapeKind.List)
            {
                var list = value as IList ?? alternative.NewList();
                Count();
                list.Add(ReadValue(ref reader, alternative.Element!, depth));
                value = list;
            }
            else
            {
                // A schema says more than the boolean that stands beside it.
                var one = ReadValue(ref reader, alternative, depth);
                value = one is bool && value is ApiStruct ? value : one;
            }
        }

        return value ?? (shape.Alternatives.Any(a => a.Kind == ShapeKind.Bool) ? Boxes.False : null);
    }
}
