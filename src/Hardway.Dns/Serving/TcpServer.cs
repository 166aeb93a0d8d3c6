using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Hardway.Dns.Serving;

/// <summary>Answers queries by TCP (RFC 7766): one after the other on a connection, closed after 10 s of silence; at most 256 connections.</summary>
internal sealed partial class TcpServer : IDisposable
{
    private const int MaxConnections = 256;
    private static readonly TimeSpan s_idle = TimeSpan.FromSeconds(10);
    private readonly Socket _socket;
    private readonly QueryHandler _handler;
    private readonly ILogger _log;
    private readonly BoundedTasks _tasks = new(MaxConnections);

    public TcpServer(IPEndPoint listen, QueryHandler handler, ILogger log)
    {
        _handler = handler;
        _log = log;
        _socket = new Socket(listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (listen.AddressFamily == AddressFamily.InterNetworkV6)
        {
            _socket.DualMode = listen.Address.Equals(IPAddress.IPv6Any);
        }

        _socket.Bind(listen);
        _socket.Listen(128);
    }

    public IPEndPoint LocalEndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    public async Task RunAsync(CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                var connection = await AcceptAsync(cancel).ConfigureAwait(false);
                await EnterAsync(connection, cancel).ConfigureAwait(false);
                _ = ServeAsync(connection, cancel); // owned by _tasks: RunAsync ends after it
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            await _tasks.DrainAsync().ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _tasks.Dispose();
    }

    private async Task EnterAsync(Socket connection, CancellationToken cancel)
    {
        try
        {
            await _tasks.EnterAsync(cancel).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            connection.Dispose();
            throw;
        }
    }

    private async Task<Socket> AcceptAsync(CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                return await _socket.AcceptAsync(cancel).ConfigureAwait(false);
            }
            catch (SocketException e)
            {
                AcceptFailed(_log, e.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(100), cancel).ConfigureAwait(false);
            }
        }
    }

    private async Task ServeAsync(Socket socket, CancellationToken cancel)
    {
        try
        {
            using var stream = new NetworkStream(socket, ownsSocket: true);
            using var idle = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            var length = new byte[2];
            while (true)
            {
                idle.CancelAfter(s_idle);
                await stream.ReadExactlyAsync(length, idle.Token).ConfigureAwait(false);
                var query = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
                await stream.ReadExactlyAsync(query, idle.Token).ConfigureAwait(false);
                if (await _handler.HandleAsync(query, udp: false, idle.Token).ConfigureAwait(false) is not { } answer)
                {
                    return;
                }

                var framed = new byte[answer.Length + 2];
                BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)answer.Length);
                answer.CopyTo(framed, 2);
                await stream.WriteAsync(framed, idle.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
        {
            // the client went away, was silent, or we stop: the connection is closed either way
        }
        catch (Exception e)
        {
            ConnectionFailed(_log, e);
        }
        finally
        {
            _tasks.Exit();
        }
    }

    [LoggerMessage(LogLevel.Warning, "A connection could not be accepted: {Reason}")]
    private static partial void AcceptFailed(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Error, "A TCP connection failed")]
    private static partial void ConnectionFailed(ILogger logger, Exception exception);
}
