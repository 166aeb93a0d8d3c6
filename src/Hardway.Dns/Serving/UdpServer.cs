using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Hardway.Dns.Serving;

/// <summary>
/// Answers datagrams on one address. One receiver; a query that must be forwarded is finished beside it, at most 1,000 at a time:
/// beyond that the datagram is dropped, as a full socket would do, and the client asks again.
/// </summary>
internal sealed partial class UdpServer : IDisposable
{
    private const int MaxForwarded = 1000;
    private readonly Socket _socket;
    private readonly QueryHandler _handler;
    private readonly ILogger _log;
    private readonly BoundedTasks _tasks = new(MaxForwarded);

    public UdpServer(IPEndPoint listen, QueryHandler handler, ILogger log)
    {
        _handler = handler;
        _log = log;
        _socket = new Socket(listen.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        if (listen.AddressFamily == AddressFamily.InterNetworkV6)
        {
            _socket.DualMode = listen.Address.Equals(IPAddress.IPv6Any);
        }

        _socket.ReceiveBufferSize = 1 << 20;
        _socket.Bind(listen);
    }

    public IPEndPoint LocalEndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    public async Task RunAsync(CancellationToken cancel)
    {
        var buffer = new byte[4096];
        var from = new SocketAddress(_socket.AddressFamily);
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                var count = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, from, cancel).ConfigureAwait(false);
                await AnswerAsync(buffer.AsMemory(0, count), from, cancel).ConfigureAwait(false);
            }
            catch (SocketException e)
            {
                ReceiveFailed(_log, e.Message);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                break;
            }
        }

        await _tasks.DrainAsync().ConfigureAwait(false); // those under way end by the same token
    }

    public void Dispose()
    {
        _socket.Dispose();
        _tasks.Dispose();
    }

    private async ValueTask AnswerAsync(Memory<byte> query, SocketAddress from, CancellationToken cancel)
    {
        if (!_tasks.TryEnter())
        {
            return;
        }

        var copy = query.ToArray();
        var answer = _handler.HandleAsync(copy, udp: true, cancel);
        if (answer.IsCompletedSuccessfully)
        {
            try
            {
                await SendAsync(answer.Result, from, cancel).ConfigureAwait(false);
            }
            finally
            {
                _tasks.Exit();
            }

            return;
        }

        _ = FinishAsync(answer, Copy(from), cancel); // owned by _tasks: RunAsync ends after it
    }

    private async Task FinishAsync(ValueTask<byte[]?> answer, SocketAddress to, CancellationToken cancel)
    {
        try
        {
            await SendAsync(await answer.ConfigureAwait(false), to, cancel).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            QueryFailed(_log, e);
        }
        finally
        {
            _tasks.Exit();
        }
    }

    private async ValueTask SendAsync(byte[]? answer, SocketAddress to, CancellationToken cancel)
    {
        if (answer is not null)
        {
            await _socket.SendToAsync(answer, SocketFlags.None, to, cancel).ConfigureAwait(false);
        }
    }

    private static SocketAddress Copy(SocketAddress from)
    {
        var copy = new SocketAddress(from.Family, from.Size);
        from.Buffer.Span[..from.Size].CopyTo(copy.Buffer.Span);
        return copy;
    }

    [LoggerMessage(LogLevel.Debug, "A datagram could not be received or answered: {Reason}")]
    private static partial void ReceiveFailed(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Error, "A query by UDP failed")]
    private static partial void QueryFailed(ILogger logger, Exception exception);
}
