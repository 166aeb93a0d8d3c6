using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Hardway.Proxy.Tests;

/// <summary>
/// A node as kube-proxy finds it, in namespaces: Pods a (10.200.0.2, fd00:200::2) and b (10.200.0.3, fd00:200::3) on a bridge with hairpin, a client
/// outside (192.0.2.2, fd00:2::2) whose way to 10.32.0.0/24 and to the node is the node (192.0.2.1, fd00:2::1).
/// </summary>
internal sealed class NodeNetwork : IDisposable
{
    private readonly List<Socket> _sockets = [];

    public NodeNetwork()
    {
        var id = Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(3)).ToLowerInvariant();
        Node = new NetworkNamespace($"hwt{id}n");
        Client = new NetworkNamespace($"hwt{id}c");
        PodA = new NetworkNamespace($"hwt{id}a");
        PodB = new NetworkNamespace($"hwt{id}b");
        try
        {
            Connect();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public NetworkNamespace Node { get; }
    public NetworkNamespace Client { get; }
    public NetworkNamespace PodA { get; }
    public NetworkNamespace PodB { get; }

    /// <summary>A TCP server that tells each caller who answers and whom it saw: "a 192.0.2.2".</summary>
    public async Task ServeTcpAsync(NetworkNamespace where, string name, int port, CancellationToken cancel)
    {
        var listener = where.Inside(() =>
        {
            var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
            socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
            socket.Listen();
            return socket;
        });
        _sockets.Add(listener);
        try
        {
            while (true)
            {
                using var connection = await listener.AcceptAsync(cancel);
                await connection.SendAsync(Encoding.ASCII.GetBytes($"{name} {Plain(((IPEndPoint)connection.RemoteEndPoint!).Address)}"), cancel);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // the test has ended
        }
    }

    /// <summary>What a server answers, or the error's name.</summary>
    public static async Task<string> CallAsync(NetworkNamespace from, string address, int port, CancellationToken cancel, double seconds = 3)
    {
        using var socket = from.Inside(() => new Socket(IPAddress.Parse(address).AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timeout.CancelAfter(TimeSpan.FromSeconds(seconds));
        try
        {
            await socket.ConnectAsync(IPAddress.Parse(address), port, timeout.Token);
            var buffer = new byte[100];
            return Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, timeout.Token));
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode.ToString();
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return "silence";
        }
    }

    public void Dispose()
    {
        _sockets.ForEach(s => s.Dispose());
        foreach (var part in (NetworkNamespace[])[PodA, PodB, Client, Node])
        {
            part.Dispose();
        }
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private void Connect()
    {
        Node.Exec("ip", "link", "add", "cni0", "type", "bridge");
        Node.Exec("ip", "addr", "add", "10.200.0.1/24", "dev", "cni0");
        Node.Exec("ip", "addr", "add", "fd00:200::1/64", "dev", "cni0", "nodad");
        Node.Exec("ip", "link", "set", "cni0", "up");
        Node.Exec("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1");
        Pod(PodA, "10.200.0.2", "fd00:200::2", "veth-a");
        Pod(PodB, "10.200.0.3", "fd00:200::3", "veth-b");
        Link(Client, "out", "192.0.2.2/24", "192.0.2.1", "fd00:2::2/64", "fd00:2::1");
        Node.Exec("ip", "addr", "add", "192.0.2.1/24", "dev", "out");
        Node.Exec("ip", "addr", "add", "fd00:2::1/64", "dev", "out", "nodad");
        Node.Exec("ip", "link", "add", "uplink", "type", "bridge"); // not back to the client: redirects use up the budget of ICMP refusals
        Node.Exec("ip", "addr", "add", "198.18.0.1/24", "dev", "uplink");
        Node.Exec("ip", "addr", "add", "fd00:18::1/64", "dev", "uplink", "nodad");
        Node.Exec("ip", "link", "set", "uplink", "up");
        Node.Exec("ip", "route", "add", "default", "via", "fd00:18::2", "dev", "uplink");
        Node.Exec("ip", "route", "add", "default", "via", "198.18.0.2", "dev", "uplink");
    }

    private void Pod(NetworkNamespace pod, string address, string v6, string link)
    {
        Link(pod, link, address + "/24", "10.200.0.1", v6 + "/64", "fd00:200::1");
        Node.Exec("ip", "link", "set", link, "master", "cni0");
        Node.Exec("bridge", "link", "set", "dev", link, "hairpin", "on");
    }

    private void Link(NetworkNamespace other, string link, string address, string gateway, string v6, string gatewayV6)
    {
        Node.Exec("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", other.Name);
        Node.Exec("ip", "link", "set", link, "up");
        other.Exec("ip", "addr", "add", address, "dev", "eth0");
        other.Exec("ip", "addr", "add", v6, "dev", "eth0", "nodad");
        other.Exec("ip", "link", "set", "eth0", "up");
        other.Exec("ip", "route", "add", "default", "via", gateway);
        other.Exec("ip", "route", "add", "default", "via", gatewayV6);
    }
}
