namespace Hardway.Dns.Wire;

/// <summary>What an OPT record says (RFC 6891). Options are not kept: none of them is acted on.</summary>
internal readonly record struct Edns(int UdpSize, int Version, bool DnssecOk);

/// <summary>
/// One DNS message (RFC 1035 section 4, with EDNS). The OPT record is lifted out of the additional section.
/// Mutable while it is built by one request; answers shared by the cache are never changed afterwards.
/// </summary>
internal sealed class DnsMessage
{
    private const int QrBit = 0x8000, AaBit = 0x0400, TcBit = 0x0200, RdBit = 0x0100, RaBit = 0x0080, AdBit = 0x0020, CdBit = 0x0010;

    /// <summary>The largest answer by UDP that is not fragmented on common paths (DNS flag day 2020).</summary>
    public const int SafeUdpSize = 1232;

    public ushort Id { get; set; }
    public bool IsResponse { get; set; }
    public int Opcode { get; set; }
    public bool Authoritative { get; set; }
    public bool Truncated { get; set; }
    public bool RecursionDesired { get; set; }
    public bool RecursionAvailable { get; set; }
    public bool AuthenticData { get; set; }
    public bool CheckingDisabled { get; set; }
    public DnsRcode Rcode { get; set; }
    public Edns? Edns { get; set; }
    public List<DnsQuestion> Questions { get; init; } = [];
    public List<DnsRecord> Answers { get; init; } = [];
    public List<DnsRecord> Authority { get; init; } = [];
    public List<DnsRecord> Additional { get; init; } = [];

    public static DnsMessage Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new DnsReader(bytes);
        var id = reader.UInt16();
        int flags = reader.UInt16();
        int questions = reader.UInt16(), answers = reader.UInt16(), authority = reader.UInt16(), additional = reader.UInt16();
        var message = new DnsMessage
        {
            Id = id,
            IsResponse = (flags & QrBit) != 0,
            Opcode = (flags >> 11) & 0xf,
            Authoritative = (flags & AaBit) != 0,
            Truncated = (flags & TcBit) != 0,
            RecursionDesired = (flags & RdBit) != 0,
            RecursionAvailable = (flags & RaBit) != 0,
            AuthenticData = (flags & AdBit) != 0,
            CheckingDisabled = (flags & CdBit) != 0,
            Rcode = (DnsRcode)(flags & 0xf),
        };
        for (var i = 0; i < questions; i++)
        {
            message.Questions.Add(reader.Question());
        }

        message.ReadRecords(ref reader, answers, message.Answers);
        message.ReadRecords(ref reader, authority, message.Authority);
        message.ReadRecords(ref reader, additional, message.Additional);
        return message;
    }

    /// <summary>
    /// The bytes, at most <paramref name="limit"/> of them. What does not fit is left out from the end, and TC says so when it
    /// was an answer; the question and OPT are always there.
    /// </summary>
    public byte[] Write(int limit = 65535)
    {
        var writer = new DnsWriter();
        writer.UInt16(Id);
        writer.UInt16(0);
        writer.UInt16(Questions.Count);
        writer.UInt32(0);
        writer.UInt16(0);
        foreach (var question in Questions)
        {
            writer.CompressedName(question.Name);
            writer.UInt16(question.Type);
            writer.UInt16(question.Class);
        }

        var room = limit - (Edns is null ? 0 : 11);
        var answers = WriteRecords(writer, Answers, room);
        var full = answers < Answers.Count;
        var authority = full ? 0 : WriteRecords(writer, Authority, room);
        full |= authority < Authority.Count;
        var additional = full ? 0 : WriteRecords(writer, Additional, room);
        if (Edns is { } edns)
        {
            WriteOpt(writer, edns);
            additional++;
        }

        writer.Patch(2, Flags(Truncated || full));
        writer.Patch(6, answers);
        writer.Patch(8, authority);
        writer.Patch(10, additional);
        return writer.ToArray();
    }

    /// <summary>An empty answer to this query: same ID, question and RD; our OPT when it had one.</summary>
    public DnsMessage Reply(DnsRcode rcode) => new()
    {
        Id = Id,
        IsResponse = true,
        Opcode = Opcode,
        RecursionDesired = RecursionDesired,
        RecursionAvailable = true,
        CheckingDisabled = CheckingDisabled,
        Rcode = rcode,
        Edns = Edns is { } edns ? new Edns(SafeUdpSize, 0, edns.DnssecOk) : null,
        Questions = [.. Questions],
    };

    private void ReadRecords(ref DnsReader reader, int count, List<DnsRecord> into)
    {
        for (var i = 0; i < count; i++)
        {
            var record = reader.Record();
            if (record.Type != DnsType.Opt)
            {
                into.Add(record);
                continue;
            }

            if (Edns is not null)
            {
                throw new DnsFormatException("there is more than one OPT record");
            }

            Edns = new Edns(record.Class, (int)(record.Ttl >> 16) & 0xff, (record.Ttl & 0x8000) != 0);
            Rcode = (DnsRcode)(((int)Rcode & 0xf) | (int)(record.Ttl >> 24 << 4));
        }
    }

    private static int WriteRecords(DnsWriter writer, List<DnsRecord> records, int room)
    {
        var count = 0;
        foreach (var record in records)
        {
            var before = writer.Length;
            writer.Record(record);
            if (writer.Length > room)
            {
                writer.Rewind(before);
                break;
            }

            count++;
        }

        return count;
    }

    private void WriteOpt(DnsWriter writer, Edns edns)
    {
        writer.Byte(0);
        writer.UInt16(DnsType.Opt);
        writer.UInt16(edns.UdpSize);
        writer.UInt32(((uint)Rcode >> 4 << 24) | ((uint)edns.Version << 16) | (edns.DnssecOk ? 0x8000u : 0));
        writer.UInt16(0);
    }

    private int Flags(bool truncated) =>
        (IsResponse ? QrBit : 0) | (Opcode << 11) | (Authoritative ? AaBit : 0) | (truncated ? TcBit : 0) | (RecursionDesired ? RdBit : 0)
        | (RecursionAvailable ? RaBit : 0) | (AuthenticData ? AdBit : 0) | (CheckingDisabled ? CdBit : 0) | ((int)Rcode & 0xf);
}
