using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Hardway.Dns.Wire;

namespace Hardway.Dns.Forwarding;

/// <summary>
/// One exchange with another DNS server: UDP from a fresh random port with a random ID, then TCP when the answer was cut
/// (RFC 5452: an answer counts only when address, ID and question are those of the query).
/// </summary>
internal static class Upstream
{
    public static async Task<DnsMessage> AskAsync(IPEndPoint server, DnsMessage query, CancellationToken cancel)
    {
        query.Id = (ushort)RandomNumberGenerator.GetInt32(0x10000);
        query.Edns = new Edns(DnsMessage.SafeUdpSize, 0, query.Edns?.DnssecOk ?? false);
        var bytes = query.Write();
        var answer = await AskUdpAsync(server, query, bytes, cancel).ConfigureAwait(false);
        return answer.Truncated ? await AskTcpAsync(server, query, bytes, cancel).ConfigureAwait(false) : answer;
    }

    private static async Task<DnsMessage> AskUdpAsync(IPEndPoint server, DnsMessage query, byte[] bytes, CancellationToken cancel)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, cancel).ConfigureAwait(false);
        await socket.SendAsync(bytes, cancel).ConfigureAwait(false);
        var buffer = new byte[4096];
        while (true)
        {
            var count = await socket.ReceiveAsync(buffer, cancel).ConfigureAwait(false);
            if (Matching(buffer.AsSpan(0, count), query) is { } answer)
            {
                return answer;
            }
        }
    }

    private static async Task<DnsMessage> AskTcpAsync(IPEndPoint server, DnsMessage query, byte[] bytes, CancellationToken cancel)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server, cancel).ConfigureAwait(false);
        using var stream = new NetworkStream(socket);
        var framed = new byte[bytes.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)bytes.Length);
        bytes.CopyTo(framed, 2);
        await stream.WriteAsync(framed, cancel).ConfigureAwait(false);
        var length = new byte[2];
        await stream.ReadExactlyAsync(length, cancel).ConfigureAwait(false);
        var buffer = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
        await stream.ReadExactlyAsync(buffer, cancel).ConfigureAwait(false);
        return Matching(buffer, query) ?? throw new DnsFormatException($"{server} answered another question by TCP");
    }

    private static DnsMessage? Matching(ReadOnlySpan<byte> bytes, DnsMessage query)
    {
        try
        {
            var answer = DnsMessage.Read(bytes);
            var same = answer.IsResponse && answer.Id == query.Id && answer.Questions.Count == 1 && answer.Questions[0] == query.Questions[0];
            return same ? answer : null;
        }
        catch (DnsFormatException)
        {
            return null; // a packet that is not an answer is as good as lost: the next one may be it
        }
    }
}
