using System.Net.WebSockets;
using Hardway.ApiServer.Kubelets.Spdy;

namespace Hardway.ApiServer.Kubelets;

/// <summary>
/// Joins a WebSocket client of exec or attach (v5 or v4.channel.k8s.io: each message begins with its channel's number) to a SPDY connection
/// of the kubelet (v4.channel.k8s.io: a stream a channel). What the error stream brings last is the command's Status.
/// <code>
/// 0 stdin →   1 ← stdout   2 ← stderr   3 ← error   4 resize →   255 (v5) → the channel that it names is at its end
/// </code>
/// </summary>
internal sealed class RemoteCommandTranslator(WebSocket client, SpdyConnection kubelet) : IDisposable
{
    private const byte Stdin = 0;
    private const byte Stdout = 1;
    private const byte Stderr = 2;
    private const byte Error = 3;
    private const byte Resize = 4;
    private const byte Close = 255;
    private const int MaxMessage = 1 << 20;
    private readonly SemaphoreSlim _sending = new(1, 1);

    /// <summary>Runs until the command has ended or either side is gone.</summary>
    public async Task RunAsync(bool stdin, bool stdout, bool stderr, bool tty, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var reading = kubelet.RunAsync(ending.Token);
        // Upstream's order: error first, then the others.
        var error = await OpenAsync("error", ending.Token).ConfigureAwait(false);
        var input = stdin ? await OpenAsync("stdin", ending.Token).ConfigureAwait(false) : null;
        var output = stdout ? await OpenAsync("stdout", ending.Token).ConfigureAwait(false) : null;
        var errors = stderr && !tty ? await OpenAsync("stderr", ending.Token).ConfigureAwait(false) : null;
        var resize = tty ? await OpenAsync("resize", ending.Token).ConfigureAwait(false) : null;
        var fromClient = FromClientAsync(input, resize, ending.Token);
        var toClient = Task.WhenAll(ToClientAsync(output, Stdout, ending.Token), ToClientAsync(errors, Stderr, ending.Token), ToClientAsync(error, Error, ending.Token));
        await Task.WhenAny(toClient, Task.WhenAny(fromClient, reading).Unwrap()).ConfigureAwait(false);
        if (reading.IsCompleted)
        {
            await StreamPump.SettleAsync(toClient).ConfigureAwait(false);
        }

        if (toClient.IsCompletedSuccessfully && client.State is WebSocketState.Open or WebSocketState.CloseReceived)
        {
            await StreamPump.SettleAsync(client.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", cancellationToken)).ConfigureAwait(false);
        }

        await ending.CancelAsync().ConfigureAwait(false);
        await StreamPump.SettleAsync(fromClient).ConfigureAwait(false);
        await StreamPump.SettleAsync(toClient).ConfigureAwait(false);
        await StreamPump.SettleAsync(reading).ConfigureAwait(false);
    }

    public void Dispose() => _sending.Dispose();

    private Task<SpdyStream> OpenAsync(string type, CancellationToken cancellationToken) => kubelet.OpenAsync([new("streamType", type)], cancellationToken);

    private async Task FromClientAsync(SpdyStream? input, SpdyStream? resize, CancellationToken cancellationToken)
    {
        var buffer = new byte[32 * 1024];
        while (true)
        {
            var (message, ended) = await ReceiveAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (ended)
            {
                return;
            }

            if (message.Length == 0)
            {
                continue;
            }

            var data = message[1..];
            switch (message.Span[0])
            {
                case Stdin when input is not null && data.Length > 0:
                    await input.SendAsync(data, cancellationToken).ConfigureAwait(false);
                    break;
                case Resize when resize is not null:
                    await resize.SendAsync(data, cancellationToken).ConfigureAwait(false);
                    break;
                case Close when input is not null && data.Length == 1 && data.Span[0] == Stdin:
                    await input.FinishAsync(cancellationToken).ConfigureAwait(false);
                    break;
            }
        }
    }

    private async ValueTask<(ReadOnlyMemory<byte> Message, bool Ended)> ReceiveAsync(byte[] buffer, CancellationToken cancellationToken)
    {
        var got = await client.ReceiveAsync(buffer.AsMemory(), cancellationToken).ConfigureAwait(false);
        if (got.MessageType == WebSocketMessageType.Close)
        {
            return (default, true);
        }

        if (got.EndOfMessage)
        {
            return (buffer.AsMemory(0, got.Count), false);
        }

        var whole = new MemoryStream();
        whole.Write(buffer, 0, got.Count);
        while (!got.EndOfMessage)
        {
            got = await client.ReceiveAsync(buffer.AsMemory(), cancellationToken).ConfigureAwait(false);
            whole.Write(buffer, 0, got.Count);
            if (whole.Length > MaxMessage)
            {
                return (default, true);
            }
        }

        return (whole.ToArray(), false);
    }

    private async Task ToClientAsync(SpdyStream? from, byte channel, CancellationToken cancellationToken)
    {
        if (from is null)
        {
            return;
        }

        await foreach (var data in from.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            var message = new byte[data.Length + 1];
            message[0] = channel;
            data.CopyTo(message, 1);
            await _sending.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                await client.SendAsync(message.AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                _sending.Release();
            }
        }
    }
}
