using System.Net;
using System.Net.Sockets;

namespace Hardway.Proxy.LoadBalancing;

/// <summary>Where the announcer's sockets come from: the process's network, or a test's namespace.</summary>
internal interface IAnnouncerNetwork
{
    /// <summary>The socket for heartbeats, bound.</summary>
    Socket OpenHeartbeats();

    string? InterfaceFor(IPAddress address, IPAddress? nodeAddress);

    ArpPort OpenPort(string name);
}

/// <summary>The process's own network.</summary>
internal sealed class AnnouncerNetwork : IAnnouncerNetwork
{
    /// <summary>UDP, on all nodes: the number that kube-proxy's health check has for TCP.</summary>
    public const int HeartbeatPort = 10256;

    public Socket OpenHeartbeats() => Open();

    public static Socket Open()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Any, HeartbeatPort));
        return socket;
    }

    public string? InterfaceFor(IPAddress address, IPAddress? nodeAddress) => ArpPort.InterfaceFor(address, nodeAddress);

    public ArpPort OpenPort(string name) => ArpPort.Open(name);
}
