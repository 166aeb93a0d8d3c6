using System.Buffers.Binary;
using System.Text;

namespace Hardway.Api.Protobuf;

/// <summary>The protobuf wire format, read with every bound checked.</summary>
internal ref struct ProtoReader(ReadOnlySpan<byte> data)
{
    private const ulong MaxNumber = (1 << 29) - 1;
    private ReadOnlySpan<byte> _rest = data;

    public int Number { get; private set; }

    public int WireType { get; private set; }

    /// <summary>How many bytes have not been read yet.</summary>
    public readonly int Left => _rest.Length;

    /// <summary>The next field's tag; false at the end.</summary>
    public bool Next()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        var tag = Varint();
        if (tag >> 3 is 0 or > MaxNumber)
        {
            throw Broken("a field's number is out of range");
        }

        Number = (int)(tag >> 3);
        WireType = (int)(tag & 7);
        return true;
    }

    public ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            if (_rest.IsEmpty)
            {
                break;
            }

            var b = _rest[0];
            _rest = _rest[1..];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                return value;
            }
        }

        throw Broken("a number does not end");
    }

    public ulong ExpectVarint() => WireType == 0 ? Varint() : throw Broken($"field {Number} is no number");

    public double ExpectDouble()
    {
        if (WireType != 1 || _rest.Length < 8)
        {
            throw Broken($"field {Number} is no 64-bit number");
        }

        var value = BinaryPrimitives.ReadDoubleLittleEndian(_rest);
        _rest = _rest[8..];
        return value;
    }

    public ReadOnlySpan<byte> ExpectBytes()
    {
        if (WireType != 2)
        {
            throw Broken($"field {Number} is neither text nor message");
        }

        var length = Varint();
        if (length > (ulong)_rest.Length)
        {
            throw Broken($"field {Number} is longer than the message");
        }

        var value = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return value;
    }

    public string ExpectString()
    {
        var bytes = ExpectBytes();
        return bytes.IsEmpty ? "" : bytes.Length <= 16 ? CommonStrings.Get(bytes) : Encoding.UTF8.GetString(bytes);
    }

    public void Skip()
    {
        switch (WireType)
        {
            case 0:
                Varint();
                break;
            case 1:
                Take(8);
                break;
            case 2:
                ExpectBytes();
                break;
            case 5:
                Take(4);
                break;
            default:
                throw Broken($"field {Number} has the unknown wire type {WireType}");
        }
    }

    private void Take(int count) => _rest = _rest.Length >= count ? _rest[count..] : throw Broken("the message ends within a field");

    public static ApiDecodeException Broken(string why) => new("the body is not valid protobuf: " + why);
}
