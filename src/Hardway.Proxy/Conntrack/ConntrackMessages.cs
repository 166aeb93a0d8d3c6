using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;

namespace Hardway.Proxy.Conntrack;

/// <summary>The messages of ctnetlink (linux/netfilter/nfnetlink_conntrack.h) that are used: dump and delete. Netlink is in the machine's byte order, ports in the network's.</summary>
internal static class ConntrackMessages
{
    public const int HeaderSize = 16;
    private const int Get = (1 << 8) | 1, New = 1 << 8, Delete = (1 << 8) | 2;
    private const int Request = 1, Ack = 4, Dump = 0x300;
    private const int ErrorType = 2, DoneType = 3;
    private const int TupleOriginal = 1, TupleReply = 2, TupleAddresses = 1, TupleProtocol = 2;
    private const int Udp = 17;

    public static byte[] DumpRequest(byte family, uint sequence) => Message(Get, Request | Dump, sequence, family, []);

    public static byte[] DeleteRequest(byte family, uint sequence, ReadOnlySpan<byte> originalTuple) => Message(Delete, Request | Ack, sequence, family, originalTuple);

    /// <summary>Reads the messages in a datagram. True: the answer is complete. The kernel's error is a positive number, 0 is success.</summary>
    public static bool Read(ReadOnlySpan<byte> datagram, List<ConntrackFlow> udpFlows, out int error)
    {
        error = 0;
        while (datagram.Length >= HeaderSize)
        {
            var length = (int)MemoryMarshal.Read<uint>(datagram);
            int type = MemoryMarshal.Read<ushort>(datagram[4..]);
            if (length < HeaderSize || length > datagram.Length)
            {
                return true;
            }

            if (type is ErrorType or DoneType)
            {
                error = length >= HeaderSize + 4 ? -MemoryMarshal.Read<int>(datagram[HeaderSize..]) : 0;
                return true;
            }

            if (type == New && length >= HeaderSize + 4 && Flow(datagram[(HeaderSize + 4)..length]) is { } flow)
            {
                udpFlows.Add(flow);
            }

            datagram = datagram[Math.Min(datagram.Length, (length + 3) & ~3)..];
        }

        return false;
    }

    private static ConntrackFlow? Flow(ReadOnlySpan<byte> attributes)
    {
        var original = Attribute(attributes, TupleOriginal, out var raw);
        var reply = Attribute(attributes, TupleReply, out _);
        if (original.IsEmpty || reply.IsEmpty || Attribute(Attribute(original, TupleProtocol, out _), 1, out _) is not [Udp])
        {
            return null;
        }

        return End(original, source: false) is { } destination && End(reply, source: true) is { } source ? new(destination, source, raw.ToArray()) : null;
    }

    /// <summary>One end of a tuple: attributes 1 and 3 are the sources of versions 4 and 6, 2 and 4 the destinations; ports are 2 and 3.</summary>
    private static IPEndPoint? End(ReadOnlySpan<byte> tuple, bool source)
    {
        var addresses = Attribute(tuple, TupleAddresses, out _);
        var address = Attribute(addresses, source ? 1 : 2, out _);
        address = address.IsEmpty ? Attribute(addresses, source ? 3 : 4, out _) : address;
        var port = Attribute(Attribute(tuple, TupleProtocol, out _), source ? 2 : 3, out _);
        return address.Length is 4 or 16 && port.Length == 2 ? new IPEndPoint(new IPAddress(address), BinaryPrimitives.ReadUInt16BigEndian(port)) : null;
    }

    private static ReadOnlySpan<byte> Attribute(ReadOnlySpan<byte> attributes, int wanted, out ReadOnlySpan<byte> raw)
    {
        while (attributes.Length >= 4)
        {
            int length = MemoryMarshal.Read<ushort>(attributes);
            var type = MemoryMarshal.Read<ushort>(attributes[2..]) & 0x3fff;
            if (length < 4 || length > attributes.Length)
            {
                break;
            }

            var padded = Math.Min(attributes.Length, (length + 3) & ~3);
            if (type == wanted)
            {
                raw = attributes[..padded];
                return attributes[4..length];
            }

            attributes = attributes[padded..];
        }

        raw = default;
        return default;
    }

    private static byte[] Message(int type, int flags, uint sequence, byte family, ReadOnlySpan<byte> attributes)
    {
        var message = new byte[HeaderSize + 4 + attributes.Length];
        MemoryMarshal.Write(message, (uint)message.Length);
        MemoryMarshal.Write(message.AsSpan(4), (ushort)type);
        MemoryMarshal.Write(message.AsSpan(6), (ushort)flags);
        MemoryMarshal.Write(message.AsSpan(8), sequence);
        message[HeaderSize] = family;
        attributes.CopyTo(message.AsSpan(HeaderSize + 4));
        return message;
    }
}
