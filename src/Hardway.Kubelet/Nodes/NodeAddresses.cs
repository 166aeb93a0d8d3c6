using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Hardway.Kubelet.Nodes;

/// <summary>Finds this node's address: as given, or the one from which it would reach the API server, or the first that is not loopback.</summary>
internal static class NodeAddresses
{
    public static IReadOnlyList<string> Find(string given, Uri? apiServer)
    {
        if (given.Length > 0)
            return [.. given.Split(',').Select(text => IPAddress.TryParse(text.Trim(), out var ip) ? ip.ToString() : throw new FormatException($"--node-ip: '{text}' is not an IP address"))];
        if (apiServer != null && Towards(apiServer) is { } source)
            return [source.ToString()];
        var first = NetworkInterface.GetAllNetworkInterfaces()
            .Where(i => i.OperationalStatus == OperationalStatus.Up && i.NetworkInterfaceType != NetworkInterfaceType.Loopback)
            .SelectMany(i => i.GetIPProperties().UnicastAddresses).Select(a => a.Address).FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork);
        return [(first ?? IPAddress.Loopback).ToString()];
    }

    /// <summary>Connecting a datagram socket sends nothing; it only asks the kernel for the route.</summary>
    private static IPAddress? Towards(Uri server)
    {
        try
        {
            var target = IPAddress.TryParse(server.Host, out var ip) ? ip : Dns.GetHostAddresses(server.Host)[0];
            using var socket = new Socket(target.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(target, server.Port);
            var local = ((IPEndPoint)socket.LocalEndPoint!).Address;
            return IPAddress.IsLoopback(local) ? null : local;
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
