using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Hardway.Api.Protobuf;

/// <summary>
/// A message written from its end to its beginning: a part's length is known when its prefix is written, so nothing is measured first.
/// One writer at a time.
/// </summary>
internal sealed class BackBuffer(int capacity = 1024) : IDisposable
{
    /// <summary>Room behind the end, for the little that is appended.</summary>
    private const int Tail = 8;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(capacity + Tail);
    private int _start = -1;
    private int _end;

    public int Length => _start < 0 ? 0 : _end - _start;

    public ReadOnlySpan<byte> Written => _start < 0 ? [] : _bytes.AsSpan(_start, _end - _start);

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
    }

    public void Varint(ulong value)
    {
        var size = 1;
        for (var rest = value >> 7; rest != 0; rest >>= 7)
        {
            size++;
        }

        var target = Take(size);
        for (var i = 0; i < size - 1; i++)
        {
            target[i] = (byte)(value | 0x80);
            value >>= 7;
        }

        target[size - 1] = (byte)value;
    }

    public void Number(int field, ulong value)
    {
        Varint(value);
        Tag(field, 0);
    }

    public void Double(int field, double value)
    {
        BinaryPrimitives.WriteDoubleLittleEndian(Take(8), value);
        Tag(field, 1);
    }

    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        value.CopyTo(Take(value.Length));
        PrefixLength(field, value.Length);
    }

    public void Text(int field, string value)
    {
        var size = Encoding.UTF8.GetByteCount(value);
        Encoding.UTF8.GetBytes(value, Take(size));
        PrefixLength(field, size);
    }

    public void Raw(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    /// <summary>Ends (that is: begins) a message within; it is what was written since the length was <paramref name="before"/>.</summary>
    public void Close(int field, int before) => PrefixLength(field, Length - before);

    public void PrefixLength(int field, int length)
    {
        Varint((ulong)length);
        Tag(field, 2);
    }

    /// <summary>The length of all so far, in four bytes, highest first.</summary>
    public void Length32()
    {
        var length = (uint)Length;
        BinaryPrimitives.WriteUInt32BigEndian(Take(4), length);
    }

    /// <summary>A few bytes behind what was written first.</summary>
    public void Append(ReadOnlySpan<byte> value)
    {
        Take(0);
        value.CopyTo(_bytes.AsSpan(_end));
        _end += value.Length;
    }

    private void Tag(int field, int wireType) => Varint(((ulong)field << 3) | (uint)wireType);

    private Span<byte> Take(int count)
    {
        if (_start < 0)
        {
            _end = _start = _bytes.Length - Tail;
        }

        if (count > _start)
        {
            Grow(count);
        }

        _start -= count;
        return _bytes.AsSpan(_start, count);
    }

    private void Grow(int count)
    {
        var length = Length;
        var larger = ArrayPool<byte>.Shared.Rent(checked(Math.Max(_bytes.Length * 2, length + count + Tail)));
        var end = larger.Length - Tail;
        Written.CopyTo(larger.AsSpan(end - length));
        ArrayPool<byte>.Shared.Return(_bytes);
        (_bytes, _start, _end) = (larger, end - length, end);
    }
}
