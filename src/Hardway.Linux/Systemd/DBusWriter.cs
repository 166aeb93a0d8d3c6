using System.Buffers.Binary;
using System.Text;

namespace Hardway.Linux.Systemd;

/// <summary>Marshals values in D-Bus's little-endian wire format: every value is aligned to its own size from the start of the message part.</summary>
internal sealed class DBusWriter
{
    private readonly List<byte> _bytes = [];

    public int Length => _bytes.Count;

    public byte[] ToArray() => [.. _bytes];

    public void Align(int size)
    {
        while (_bytes.Count % size != 0)
            _bytes.Add(0);
    }

    public void Byte(byte value) => _bytes.Add(value);

    public void UInt32(uint value)
    {
        Align(4);
        Span<byte> buffer = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(buffer, value);
        _bytes.AddRange(buffer);
    }

    public void UInt64(ulong value)
    {
        Align(8);
        Span<byte> buffer = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(buffer, value);
        _bytes.AddRange(buffer);
    }

    public void String(string value)
    {
        var utf8 = Encoding.UTF8.GetBytes(value);
        UInt32((uint)utf8.Length);
        _bytes.AddRange(utf8);
        _bytes.Add(0);
    }

    public void Signature(string value)
    {
        _bytes.Add((byte)value.Length);
        _bytes.AddRange(Encoding.ASCII.GetBytes(value));
        _bytes.Add(0);
    }

    /// <summary>An array: its length in bytes counts from after the padding before the first element.</summary>
    public void Array(int alignment, Action elements)
    {
        UInt32(0);
        var at = _bytes.Count - 4;
        Align(alignment);
        var start = _bytes.Count;
        elements();
        Span<byte> buffer = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(buffer, (uint)(_bytes.Count - start));
        for (var i = 0; i < 4; i++)
            _bytes[at + i] = buffer[i];
    }

    public void Raw(byte[] bytes) => _bytes.AddRange(bytes);
}
