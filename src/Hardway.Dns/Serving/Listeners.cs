using System.Net;
using System.Net.Sockets;
using Hardway.Hosting;
using Microsoft.Extensions.Logging;

namespace Hardway.Dns.Serving;

/// <summary>The UDP and TCP servers of all addresses: opened together (a port that is taken is one clear line), run and closed together.</summary>
internal sealed class Listeners : IDisposable
{
    private readonly List<UdpServer> _udp = [];
    private readonly List<TcpServer> _tcp = [];

    public void Open(IEnumerable<IPEndPoint> addresses, QueryHandler handler, ILoggerFactory logs)
    {
        var log = logs.CreateLogger("Listeners");
        foreach (var address in addresses)
        {
            try
            {
                _udp.Add(new UdpServer(address, handler, log));
                _tcp.Add(new TcpServer(address, handler, log));
            }
            catch (SocketException e)
            {
                throw new ComponentException($"cluster-dns cannot listen on {address}: {e.Message}", e);
            }
        }
    }

    public Task RunAsync(CancellationToken cancel) => Task.WhenAll([.. _udp.Select(u => u.RunAsync(cancel)), .. _tcp.Select(t => t.RunAsync(cancel))]);

    public override string ToString() => string.Join(", ", _udp.Select(u => u.LocalEndPoint));

    public void Dispose()
    {
        _udp.ForEach(u => u.Dispose());
        _tcp.ForEach(t => t.Dispose());
    }
}
