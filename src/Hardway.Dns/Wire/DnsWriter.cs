using System.Buffers.Binary;
using System.Text;

namespace Hardway.Dns.Wire;

/// <summary>A growing buffer for one message; owner names are compressed against names written before.</summary>
internal sealed class DnsWriter
{
    private byte[] _buffer = new byte[256];
    private Dictionary<string, int>? _suffixes;

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    public byte[] ToArray() => Written.ToArray();

    public void UInt16(int value) => BinaryPrimitives.WriteUInt16BigEndian(Grow(2), (ushort)value);

    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Grow(4), value);

    public void Byte(int value) => Grow(1)[0] = (byte)value;

    public void Bytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Grow(bytes.Length));

    public void CharacterString(string text)
    {
        if (text.Length > 255)
        {
            throw new DnsFormatException("a character string has at most 255 octets");
        }

        Byte(text.Length);
        Encoding.Latin1.GetBytes(text, Grow(text.Length));
    }

    public void PlainName(DnsName name)
    {
        foreach (var label in name.Labels)
        {
            CharacterString(label);
        }

        Byte(0);
    }

    public void CompressedName(DnsName name)
    {
        _suffixes ??= new(StringComparer.Ordinal);
        for (var i = 0; i < name.Count; i++)
        {
            var key = i == 0 ? name.Key : DnsName.KeyOf(name.Labels[i..]);
            if (_suffixes.TryGetValue(key, out var offset))
            {
                UInt16(0xc000 | offset);
                return;
            }

            if (Length < 0x4000)
            {
                _suffixes[key] = Length;
            }

            CharacterString(name.Labels[i]);
        }

        Byte(0);
    }

    public void Record(DnsRecord record)
    {
        CompressedName(record.Name);
        UInt16(record.Type);
        UInt16(record.Class);
        UInt32(record.Ttl);
        UInt16(record.Data.Length);
        Bytes(record.Data.Span);
    }

    public void Patch(int offset, int value) => BinaryPrimitives.WriteUInt16BigEndian(_buffer.AsSpan(offset, 2), (ushort)value);

    /// <summary>Forgets what was written after <paramref name="length"/>. Nothing may be written afterwards that compresses names.</summary>
    public void Rewind(int length) => Length = length;

    private Span<byte> Grow(int count)
    {
        if (Length + count > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, Length + count));
        }

        Length += count;
        return _buffer.AsSpan(Length - count, count);
    }
}
