using System.Net.WebSockets;

namespace Hardway.ApiServer.Kubelets;

/// <summary>Copies bytes both ways between two connections until either ends.</summary>
internal static class StreamPump
{
    private const int BufferSize = 32 * 1024;

    public static async Task RunAsync(Stream a, Stream b, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var one = CopyAsync(a, b, ending.Token);
        var other = CopyAsync(b, a, ending.Token);
        await Task.WhenAny(one, other).ConfigureAwait(false);
        await ending.CancelAsync().ConfigureAwait(false);
        await SettleAsync(one).ConfigureAwait(false);
        await SettleAsync(other).ConfigureAwait(false);
    }

    /// <summary>A byte stream tunnelled through a WebSocket's binary messages (SPDY/3.1+portforward.k8s.io).</summary>
    public static async Task RunAsync(WebSocket socket, Stream stream, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var up = UpAsync(socket, stream, ending.Token);
        var down = DownAsync(stream, socket, ending.Token);
        await Task.WhenAny(up, down).ConfigureAwait(false);
        if (down.IsCompletedSuccessfully && socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
        {
            await SettleAsync(socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", cancellationToken)).ConfigureAwait(false);
        }

        await ending.CancelAsync().ConfigureAwait(false);
        await SettleAsync(up).ConfigureAwait(false);
        await SettleAsync(down).ConfigureAwait(false);
    }

    private static async Task CopyAsync(Stream from, Stream to, CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferSize];
        int read;
        while ((read = await from.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            await to.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task UpAsync(WebSocket socket, Stream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferSize];
        while (true)
        {
            var got = await socket.ReceiveAsync(buffer.AsMemory(), cancellationToken).ConfigureAwait(false);
            if (got.MessageType == WebSocketMessageType.Close)
            {
                return;
            }

            await stream.WriteAsync(buffer.AsMemory(0, got.Count), cancellationToken).ConfigureAwait(false);
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task DownAsync(Stream stream, WebSocket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferSize];
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            await socket.SendAsync(buffer.AsMemory(0, read), WebSocketMessageType.Binary, endOfMessage: true, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Waits for a part that may end by the other side's leaving, which is how these connections end.</summary>
    internal static async Task SettleAsync(Task part)
    {
        try
        {
            await part.ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection is over.
        }
    }
}
