using System.Text;

namespace Hardway.Proxy.LoadBalancing;

/// <summary>
/// "I am alive and would answer", one UDP datagram: "HWLB", version 1, flags (1: leaving), the node's name. It is not signed: whoever can send from a node's
/// address can keep a dead node's addresses from moving, and nothing else.
/// </summary>
internal static class Heartbeat
{
    private const byte Version = 1, LeavingFlag = 1;
    private const int HeaderSize = 6, MaxName = 253;

    private static ReadOnlySpan<byte> Magic => "HWLB"u8;

    public static byte[] Write(string node, bool leaving) => [.. Magic, Version, leaving ? LeavingFlag : (byte)0, .. Encoding.UTF8.GetBytes(node)];

    public static bool TryRead(ReadOnlySpan<byte> datagram, out string node, out bool leaving)
    {
        (node, leaving) = ("", false);
        if (datagram.Length is <= HeaderSize or > HeaderSize + MaxName || !datagram.StartsWith(Magic) || datagram[4] != Version)
        {
            return false;
        }

        leaving = (datagram[5] & LeavingFlag) != 0;
        node = Encoding.UTF8.GetString(datagram[HeaderSize..]);
        return true;
    }
}
