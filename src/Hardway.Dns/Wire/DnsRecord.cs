using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Hardway.Dns.Wire;

internal readonly record struct DnsQuestion(DnsName Name, ushort Type, ushort Class);

/// <summary>A resource record. <see cref="Data"/> is RDATA with every name in it uncompressed, so it can be written anywhere.</summary>
internal sealed record DnsRecord(DnsName Name, ushort Type, ushort Class, uint Ttl, ReadOnlyMemory<byte> Data)
{
    public static DnsRecord Address(DnsName name, uint ttl, IPAddress address) =>
        new(name, address.AddressFamily == AddressFamily.InterNetwork ? DnsType.A : DnsType.Aaaa, DnsClass.In, ttl, address.GetAddressBytes());

    public static DnsRecord Cname(DnsName name, uint ttl, DnsName target) => OfName(name, DnsType.Cname, ttl, target);

    public static DnsRecord Ptr(DnsName name, uint ttl, DnsName target) => OfName(name, DnsType.Ptr, ttl, target);

    public static DnsRecord Ns(DnsName name, uint ttl, DnsName target) => OfName(name, DnsType.Ns, ttl, target);

    public static DnsRecord Srv(DnsName name, uint ttl, ushort priority, ushort weight, ushort port, DnsName target)
    {
        var writer = new DnsWriter();
        writer.UInt16(priority);
        writer.UInt16(weight);
        writer.UInt16(port);
        writer.PlainName(target);
        return new(name, DnsType.Srv, DnsClass.In, ttl, writer.ToArray());
    }

    public static DnsRecord Text(DnsName name, ushort type, uint ttl, params string[] strings)
    {
        var writer = new DnsWriter();
        foreach (var text in strings)
        {
            writer.CharacterString(text);
        }

        return new(name, type, DnsClass.In, ttl, writer.ToArray());
    }

    public static DnsRecord Soa(DnsName name, uint ttl, DnsName primary, DnsName mailbox, uint serial, uint minimum)
    {
        var writer = new DnsWriter();
        writer.PlainName(primary);
        writer.PlainName(mailbox);
        writer.UInt32(serial);
        writer.UInt32(7200);
        writer.UInt32(1800);
        writer.UInt32(86400);
        writer.UInt32(minimum);
        return new(name, DnsType.Soa, DnsClass.In, ttl, writer.ToArray());
    }

    /// <summary>The address of an A or AAAA record.</summary>
    public IPAddress AsAddress() => new(Data.Span);

    /// <summary>The name that a CNAME, NS or PTR record points to.</summary>
    public DnsName AsName() => new DnsReader(Data.Span).Name();

    /// <summary>The last field of a SOA record: how long a denial may be kept (RFC 2308).</summary>
    public uint SoaMinimum() => Data.Length < 4 ? 0 : BinaryPrimitives.ReadUInt32BigEndian(Data.Span[^4..]);

    private static DnsRecord OfName(DnsName name, ushort type, uint ttl, DnsName target)
    {
        var writer = new DnsWriter();
        writer.PlainName(target);
        return new(name, type, DnsClass.In, ttl, writer.ToArray());
    }
}
