using System.Buffers.Binary;
using System.Net;

namespace Hardway.Proxy.LoadBalancing;

/// <summary>ARP for IPv4 over Ethernet (RFC 826), with the frame's header.</summary>
internal readonly record struct ArpPacket(ushort Operation, byte[] SenderMac, IPAddress Sender, byte[] TargetMac, IPAddress Target)
{
    public const int Size = 42;
    public const ushort EtherType = 0x0806, Request = 1, Reply = 2;
    private const ushort Ethernet = 1, Ip = 0x0800;

    private static readonly byte[] s_broadcast = [255, 255, 255, 255, 255, 255];

    /// <summary>"The address is here", to everybody (RFC 5227 calls it an announcement): caches that have the address take the new place.</summary>
    public static byte[] Announcement(byte[] mac, IPAddress address, ushort operation) =>
        new ArpPacket(operation, mac, address, operation == Request ? new byte[6] : s_broadcast, address).Frame(s_broadcast);

    /// <summary>The answer to a request, to who asked.</summary>
    public byte[] Answer(byte[] mac) => new ArpPacket(Reply, mac, Target, SenderMac, Sender).Frame(SenderMac);

    public static ArpPacket? Read(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < Size || BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) != EtherType || BinaryPrimitives.ReadUInt16BigEndian(frame[14..]) != Ethernet
            || BinaryPrimitives.ReadUInt16BigEndian(frame[16..]) != Ip || frame[18] != 6 || frame[19] != 4)
        {
            return null;
        }

        return new(BinaryPrimitives.ReadUInt16BigEndian(frame[20..]), frame[22..28].ToArray(), new IPAddress(frame[28..32]), frame[32..38].ToArray(), new IPAddress(frame[38..42]));
    }

    private byte[] Frame(byte[] destination)
    {
        var frame = new byte[Size];
        destination.CopyTo(frame, 0);
        SenderMac.CopyTo(frame, 6);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), EtherType);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(14), Ethernet);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(16), Ip);
        (frame[18], frame[19]) = (6, 4);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(20), Operation);
        SenderMac.CopyTo(frame, 22);
        Sender.TryWriteBytes(frame.AsSpan(28), out _);
        TargetMac.CopyTo(frame, 32);
        Target.TryWriteBytes(frame.AsSpan(38), out _);
        return frame;
    }
}
