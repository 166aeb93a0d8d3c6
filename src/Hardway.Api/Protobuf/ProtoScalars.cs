namespace Hardway.Api.Protobuf;

/// <summary>Values that are scalars in JSON and small messages in protobuf.</summary>
internal static class ProtoScalars
{
    public static object Quantity(ReadOnlySpan<byte> data)
    {
        var reader = new ProtoReader(data);
        var text = "0";
        while (reader.Next())
        {
            if (reader.Number == 1)
            {
                text = reader.ExpectString();
            }
            else
            {
                reader.Skip();
            }
        }

        return Api.Quantity.TryParse(text, out var value) ? value : throw new ApiDecodeException($"\"{text}\" is not a quantity");
    }

    public static object IntOrString(ReadOnlySpan<byte> data)
    {
        var reader = new ProtoReader(data);
        var (isText, number, text) = (false, 0, "");
        while (reader.Next())
        {
            switch (reader.Number)
            {
                case 1:
                    isText = reader.ExpectVarint() == 1;
                    break;
                case 2:
                    number = (int)(long)reader.ExpectVarint();
                    break;
                case 3:
                    text = reader.ExpectString();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return isText ? new IntOrString(text) : new IntOrString(number);
    }

    /// <summary>Seconds and nanoseconds, cut to what JSON shows of them; an empty message is no time.</summary>
    public static object? Time(ReadOnlySpan<byte> data, long precision)
    {
        if (data.IsEmpty)
        {
            return null;
        }

        var reader = new ProtoReader(data);
        long seconds = 0, nanos = 0;
        while (reader.Next())
        {
            switch (reader.Number)
            {
                case 1:
                    seconds = (long)reader.ExpectVarint();
                    break;
                case 2:
                    nanos = (long)reader.ExpectVarint();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        // Go's zero time is the year 1.
        return seconds is <= -62_135_596_800 or > 253_402_300_799 || nanos is < 0 or > 999_999_999 ? null : DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(nanos / 100 / precision * precision);
    }

    public static object Duration(ReadOnlySpan<byte> data)
    {
        var reader = new ProtoReader(data);
        long nanos = 0;
        while (reader.Next())
        {
            if (reader.Number == 1)
            {
                nanos = (long)reader.ExpectVarint();
            }
            else
            {
                reader.Skip();
            }
        }

        return TimeSpan.FromTicks(nanos / 100);
    }

    public static object? Zero(Shape shape) => shape.Kind switch
    {
        ShapeKind.String => "",
        ShapeKind.Bytes => Array.Empty<byte>(),
        ShapeKind.Quantity => Api.Quantity.Zero,
        ShapeKind.IntOrString => default(IntOrString),
        ShapeKind.Duration => default(TimeSpan),
        ShapeKind.Time or ShapeKind.MicroTime => default(DateTimeOffset),
        ShapeKind.Int32 => Boxes.Of(0),
        ShapeKind.Int64 => Boxes.Of(0L),
        ShapeKind.Bool => Boxes.False,
        ShapeKind.Struct => shape.Type.NewBare(),
        ShapeKind.List => shape.NewList(),
        _ => null,
    };
}
