using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Hardway.Proxy.Conntrack;

/// <summary>The kernel's table of tracked flows, over a netlink socket opened for each use. One caller at a time; calls take milliseconds.</summary>
internal sealed partial class ConntrackTable
{
    public const byte FamilyV4 = 2, FamilyV6 = 10;
    private const int NetlinkFamily = 16, RawCloseOnExec = 3 | 0x80000, NetfilterProtocol = 12;
    private const int NoSuchFlow = 2;
    private const int ReceiveBuffer = 1 << 18;

    public static List<ConntrackFlow> ListUdp(byte family)
    {
        var flows = new List<ConntrackFlow>();
        using var socket = Open();
        var error = Exchange(socket, ConntrackMessages.DumpRequest(family, 1), flows);
        return error == 0 ? flows : throw new Win32Exception(error, $"listing tracked flows: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    /// <summary>Deletes flows; one that has ended meanwhile is no error.</summary>
    public static void Delete(byte family, IEnumerable<ConntrackFlow> flows)
    {
        using var socket = Open();
        uint sequence = 1;
        foreach (var flow in flows)
        {
            var error = Exchange(socket, ConntrackMessages.DeleteRequest(family, ++sequence, flow.OriginalTuple.Span), []);
            if (error is not (0 or NoSuchFlow))
            {
                throw new Win32Exception(error, $"deleting the flow to {flow.Destination}: {Marshal.GetPInvokeErrorMessage(error)}");
            }
        }
    }

    private static int Exchange(NetlinkHandle socket, byte[] request, List<ConntrackFlow> flows)
    {
        if (Send(socket, request, (nuint)request.Length, 0) < 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }

        var buffer = new byte[ReceiveBuffer];
        while (true)
        {
            var count = Receive(socket, buffer, (nuint)buffer.Length, 0);
            if (count < 0)
            {
                throw new Win32Exception(Marshal.GetLastPInvokeError());
            }

            if (ConntrackMessages.Read(buffer.AsSpan(0, (int)count), flows, out var error))
            {
                return error;
            }
        }
    }

    private static NetlinkHandle Open()
    {
        var handle = Socket(NetlinkFamily, RawCloseOnExec, NetfilterProtocol);
        return handle.IsInvalid ? throw new Win32Exception(Marshal.GetLastPInvokeError()) : handle;
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial NetlinkHandle Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(NetlinkHandle socket, byte[] buffer, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(NetlinkHandle socket, [Out] byte[] buffer, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int CloseHandle(nint handle);

    private sealed class NetlinkHandle : SafeHandle
    {
        public NetlinkHandle() : base(-1, ownsHandle: true) { }

        public override bool IsInvalid => handle == -1;

        protected override bool ReleaseHandle() => CloseHandle(handle) == 0;
    }
}
