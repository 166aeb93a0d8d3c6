using Hardway.Dns.Forwarding;
using Hardway.Dns.Records;
using Hardway.Dns.Wire;

namespace Hardway.Dns.Serving;

/// <summary>
/// Bytes of a query in, bytes of an answer out; null when nothing may be sent (it was an answer, or too short to have an ID).
/// Answers for the cluster's names complete synchronously. Any thread.
/// </summary>
internal sealed class QueryHandler(ClusterZone zone, Func<ClusterIndex> index, Func<bool> synced, Forwarder forwarder, DnsMetrics metrics, TimeProvider time)
{
    private const int MaxAliases = 8;
    private const int MinUdpSize = 512;

    public async ValueTask<byte[]?> HandleAsync(ReadOnlyMemory<byte> bytes, bool udp, CancellationToken cancel)
    {
        var start = time.GetTimestamp();
        DnsMessage query;
        try
        {
            query = DnsMessage.Read(bytes.Span);
        }
        catch (DnsFormatException)
        {
            return Malformed(bytes.Span);
        }

        if (query.IsResponse)
        {
            return null;
        }

        var limit = !udp ? 65535 : query.Edns is { } edns ? Math.Clamp(edns.UdpSize, MinUdpSize, DnsMessage.SafeUdpSize) : MinUdpSize;
        var answer = Refusal(query) ?? await ResolveAsync(query, cancel).ConfigureAwait(false);
        var type = query.Questions.Count == 1 ? query.Questions[0].Type : (ushort)0;
        metrics.Observe(udp, type, answer.Rcode, time.GetElapsedTime(start));
        return answer.Write(limit);
    }

    private byte[]? Malformed(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 12 || (bytes[2] & 0x80) != 0)
        {
            return null;
        }

        metrics.Malformed.Inc();
        return new DnsMessage { Id = (ushort)((bytes[0] << 8) | bytes[1]), IsResponse = true, Rcode = DnsRcode.FormErr }.Write();
    }

    private static DnsMessage? Refusal(DnsMessage query)
    {
        if (query.Opcode != 0)
        {
            return query.Reply(DnsRcode.NotImp);
        }

        if (query.Questions.Count != 1)
        {
            return query.Reply(DnsRcode.FormErr);
        }

        if (query.Edns is { Version: > 0 })
        {
            return query.Reply(DnsRcode.BadVers);
        }

        var question = query.Questions[0];
        var transfer = question.Type is DnsType.Axfr or DnsType.Ixfr;
        return transfer || question.Class is not DnsClass.In ? query.Reply(DnsRcode.Refused) : null;
    }

    private async ValueTask<DnsMessage> ResolveAsync(DnsMessage query, CancellationToken cancel)
    {
        var question = query.Questions[0];
        if (question.Type == DnsType.Hinfo && forwarder.SeesOwnProbe(question.Name))
        {
            return query.Reply(DnsRcode.Refused);
        }

        var reply = query.Reply(DnsRcode.NoError);
        if (zone.Answer(index(), question) is { } own)
        {
            reply.Authoritative = true;
            await FillOwnAsync(reply, question, own, query, cancel).ConfigureAwait(false);
        }
        else if (query.RecursionDesired)
        {
            var found = await forwarder.ResolveAsync(question, query.Edns?.DnssecOk ?? false, query.CheckingDisabled, cancel).ConfigureAwait(false);
            Merge(reply, found);
        }
        else
        {
            reply.Rcode = DnsRcode.Refused;
        }

        Shuffle(reply.Answers);
        return reply;
    }

    private async ValueTask FillOwnAsync(DnsMessage reply, DnsQuestion question, ZoneAnswer answer, DnsMessage query, CancellationToken cancel)
    {
        for (var aliases = 0; ; aliases++)
        {
            reply.Rcode = answer.Rcode;
            reply.Answers.AddRange(answer.Records);
            reply.Additional.AddRange(answer.Additional);
            var target = Alias(answer.Records, question.Type);
            if (target is null || aliases == MaxAliases)
            {
                break;
            }

            question = question with { Name = target };
            if (zone.Answer(index(), question) is { } next)
            {
                answer = next;
                continue;
            }

            var found = await forwarder.ResolveAsync(question, query.Edns?.DnssecOk ?? false, query.CheckingDisabled, cancel).ConfigureAwait(false);
            Merge(reply, found);
            return;
        }

        if (answer.Rcode == DnsRcode.NxDomain && !synced())
        {
            reply.Rcode = DnsRcode.ServFail; // before the first list "no such name" would be a guess
            return;
        }

        if (answer.Records.Count == 0)
        {
            reply.Authority.Add(zone.Soa((uint)time.GetUtcNow().ToUnixTimeSeconds()));
        }
    }

    private static DnsName? Alias(IReadOnlyList<DnsRecord> records, ushort type) =>
        type != DnsType.Cname && records is [{ Type: DnsType.Cname } alias] ? alias.AsName() : null;

    private static void Merge(DnsMessage reply, DnsMessage found)
    {
        reply.Rcode = found.Rcode;
        reply.AuthenticData = found.AuthenticData && reply.Answers.Count == 0;
        reply.Answers.AddRange(found.Answers);
        reply.Authority.AddRange(found.Authority);
        reply.Additional.AddRange(found.Additional);
    }

    /// <summary>Addresses in another order each time: clients take the first one.</summary>
    private static void Shuffle(List<DnsRecord> answers)
    {
        var first = answers.FindIndex(r => r.Type is DnsType.A or DnsType.Aaaa);
        if (first >= 0 && answers.Count - first > 1 && answers.TrueForAll(r => r.Type is DnsType.A or DnsType.Aaaa or DnsType.Cname))
        {
            Random.Shared.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(answers)[first..]);
        }
    }
}
