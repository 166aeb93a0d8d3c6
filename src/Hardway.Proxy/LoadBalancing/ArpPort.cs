using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Hardway.Proxy.LoadBalancing;

/// <summary>
/// Answers ARP for addresses on one interface, through a packet socket: the addresses are not the kernel's, so it answers for none of them, and when this
/// process ends nobody does. Needs CAP_NET_RAW. Addresses are changed by any thread; <see cref="RunAsync"/> is the one that receives.
/// </summary>
internal sealed class ArpPort : IDisposable
{
    private readonly ConcurrentDictionary<IPAddress, bool> _addresses = new();
    private readonly Socket _socket;
    private readonly byte[] _mac;

    private ArpPort(NetworkInterface device)
    {
        Interface = device.Name;
        _mac = device.GetPhysicalAddress().GetAddressBytes();
        _socket = new Socket(AddressFamily.Packet, SocketType.Raw, (ProtocolType)BinaryPrimitives.ReverseEndianness(ArpPacket.EtherType));
        _socket.Bind(new PacketEndPoint(device.GetIPProperties().GetIPv4Properties().Index));
    }

    public string Interface { get; }

    public bool IsIdle => _addresses.IsEmpty;

    /// <summary>The name of the interface whose network has the address (the smallest such network), else of the one with this node's own address.</summary>
    public static string? InterfaceFor(IPAddress address, IPAddress? nodeAddress) =>
        Devices().SelectMany(d => d.GetIPProperties().UnicastAddresses, (d, a) => (Device: d, Own: a))
            .Where(p => p.Own.Address.AddressFamily == AddressFamily.InterNetwork)
            .Select(p => (p.Device.Name, Rank: Network(p.Own).Contains(address) ? p.Own.PrefixLength : p.Own.Address.Equals(nodeAddress) ? 0 : -1))
            .Where(p => p.Rank >= 0).OrderByDescending(p => p.Rank).ThenBy(p => p.Name, StringComparer.Ordinal).Select(p => p.Name).FirstOrDefault();

    /// <exception cref="SocketException">No right to packet sockets, or the interface has gone.</exception>
    public static ArpPort Open(string name) =>
        new(Devices().FirstOrDefault(d => d.Name == name) ?? throw new SocketException((int)SocketError.AddressNotAvailable));

    /// <summary>From now on requests for the address are answered.</summary>
    public void Add(IPAddress address) => _addresses[address] = true;

    public void Remove(IPAddress address) => _addresses.TryRemove(address, out _);

    /// <summary>Tells everybody, in both forms that are in use: some listen to requests only, some to replies only.</summary>
    public async Task AnnounceAsync(IPAddress address, CancellationToken cancel)
    {
        await _socket.SendAsync(ArpPacket.Announcement(_mac, address, ArpPacket.Request), cancel).ConfigureAwait(false);
        await _socket.SendAsync(ArpPacket.Announcement(_mac, address, ArpPacket.Reply), cancel).ConfigureAwait(false);
    }

    /// <summary>Answers until the port is disposed of. A failing interface ends it.</summary>
    public async Task RunAsync()
    {
        var buffer = new byte[256];
        try
        {
            while (true)
            {
                var length = await _socket.ReceiveAsync(buffer).ConfigureAwait(false);
                if (ArpPacket.Read(buffer.AsSpan(0, length)) is { Operation: ArpPacket.Request } request && _addresses.ContainsKey(request.Target) && !request.Sender.Equals(request.Target))
                {
                    await _socket.SendAsync(request.Answer(_mac)).ConfigureAwait(false);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // disposed of, or the interface went away: whoever owns the port opens another
        }
    }

    public void Dispose() => _socket.Dispose();

    private static IEnumerable<NetworkInterface> Devices() =>
        NetworkInterface.GetAllNetworkInterfaces().Where(d => d.NetworkInterfaceType != NetworkInterfaceType.Loopback && d.GetPhysicalAddress().GetAddressBytes().Length == 6);

    private static IPNetwork Network(UnicastIPAddressInformation own)
    {
        var bits = BinaryPrimitives.ReadUInt32BigEndian(own.Address.GetAddressBytes()) & (own.PrefixLength == 0 ? 0 : uint.MaxValue << (32 - own.PrefixLength));
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, bits);
        return new IPNetwork(new IPAddress(bytes), own.PrefixLength);
    }

    /// <summary>sockaddr_ll (packet(7)): family, protocol in network order, index of the interface in the machine's.</summary>
    private sealed class PacketEndPoint(int index) : EndPoint
    {
        private const int Size = 20;

        public override AddressFamily AddressFamily => AddressFamily.Packet;

        public override SocketAddress Serialize()
        {
            var address = new SocketAddress(AddressFamily.Packet, Size);
            BinaryPrimitives.WriteUInt16BigEndian(address.Buffer.Span[2..], ArpPacket.EtherType);
            MemoryMarshal.Write(address.Buffer.Span[4..], index);
            return address;
        }
    }
}
