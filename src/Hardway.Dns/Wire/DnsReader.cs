using System.Buffers.Binary;
using System.Text;

namespace Hardway.Dns.Wire;

/// <summary>
/// A cursor over one message. Everything is checked against the message's end; a compression pointer must point
/// before the part of the name that holds it, so a chain of pointers always ends.
/// </summary>
internal ref struct DnsReader(ReadOnlySpan<byte> message)
{
    private readonly ReadOnlySpan<byte> _message = message;
    private int _position;

    public readonly int Position => _position;

    public byte Byte() => Take(1)[0];

    public ushort UInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public uint UInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public ReadOnlySpan<byte> Take(int count)
    {
        if (count > _message.Length - _position)
        {
            throw new DnsFormatException("the message ends too early");
        }

        var part = _message.Slice(_position, count);
        _position += count;
        return part;
    }

    public DnsName Name()
    {
        var labels = new List<string>(8);
        var octets = 1;
        var at = _position;
        var segment = at;
        var end = -1;
        while (true)
        {
            var length = At(at);
            if (length == 0)
            {
                _position = end < 0 ? at + 1 : end;
                return labels.Count == 0 ? DnsName.Root : new DnsName([.. labels]);
            }

            if ((length & 0xc0) == 0xc0)
            {
                var target = ((length & 0x3f) << 8) | At(at + 1);
                end = end < 0 ? at + 2 : end;
                at = target < segment ? target : throw new DnsFormatException("a compression pointer does not point backwards");
                segment = target;
                continue;
            }

            octets += length + 1;
            if (length > DnsName.MaxLabel || octets > DnsName.MaxName || at + 1 + length > _message.Length)
            {
                throw new DnsFormatException("a label or name is too long");
            }

            labels.Add(Encoding.Latin1.GetString(_message.Slice(at + 1, length)));
            at += length + 1;
        }
    }

    public DnsQuestion Question() => new(Name(), UInt16(), UInt16());

    public DnsRecord Record()
    {
        var name = Name();
        var type = UInt16();
        var @class = UInt16();
        var ttl = UInt32();
        int length = UInt16();
        var end = _position + length;
        if (end > _message.Length)
        {
            throw new DnsFormatException("a record ends after the message");
        }

        var data = Data(type, length);
        return _position == end ? new(name, type, @class, ttl, data) : throw new DnsFormatException("a record's length and its data differ");
    }

    private byte[] Data(ushort type, int length)
    {
        var fixedBefore = type switch
        {
            DnsType.Cname or DnsType.Ns or DnsType.Ptr or DnsType.Soa => 0,
            DnsType.Mx => 2,
            DnsType.Srv => 6,
            _ => -1,
        };
        if (fixedBefore < 0)
        {
            return Take(length).ToArray();
        }

        var writer = new DnsWriter();
        writer.Bytes(Take(fixedBefore));
        writer.PlainName(Name());
        if (type == DnsType.Soa)
        {
            writer.PlainName(Name());
            writer.Bytes(Take(20));
        }

        return writer.ToArray();
    }

    private readonly byte At(int index) =>
        index < _message.Length ? _message[index] : throw new DnsFormatException("a name ends after the message");
}
