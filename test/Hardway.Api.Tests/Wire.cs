using Google.Protobuf;

namespace Hardway.Api.Tests;

/// <summary>Messages put together with Google's own writer, field by field.</summary>
internal static class Wire
{
    public static byte[] Message(Action<Action<int, object>> write)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
        {
            write((number, value) =>
            {
                output.WriteTag(number, value is string or byte[] ? WireFormat.WireType.LengthDelimited : WireFormat.WireType.Varint);
                switch (value)
                {
                    case string text:
                        output.WriteString(text);
                        break;
                    case byte[] bytes:
                        output.WriteBytes(ByteString.CopyFrom(bytes));
                        break;
                    case bool b:
                        output.WriteBool(b);
                        break;
                    default:
                        output.WriteInt64((long)value);
                        break;
                }
            });
        }

        return stream.ToArray();
    }
}
