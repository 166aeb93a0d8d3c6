using System.Buffers;
using System.Threading.Channels;
using Hardway.ApiServer.Configuration;
using Microsoft.Extensions.Logging;

namespace Hardway.ApiServer.Audit;

/// <summary>
/// Sends events to another server, as an EventList when enough have gathered or the oldest has waited long enough. A list that is not taken is
/// sent again some times, each time after a longer pause; then it is lost, which is reported. One task sends; requests never wait for it.
/// </summary>
internal sealed partial class AuditWebhook : IAuditSink
{
    private const int Tries = 4;
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);
    private readonly Channel<ReadOnlyMemory<byte>> _events;
    private readonly AuditWebhookOptions _options;
    private readonly WebhookConnection _connection;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _sending;
    private long _lost;

    public AuditWebhook(AuditWebhookOptions options, TimeProvider time, ILogger log)
    {
        (_options, _time, _log) = (options, time, log);
        _connection = WebhookConnection.Read(options.ConfigFile);
        _events = Channel.CreateBounded<ReadOnlyMemory<byte>>(new BoundedChannelOptions(options.BufferSize) { SingleReader = true });
        _sending = Task.Run(SendAllAsync);
    }

    /// <summary>Events that found no room or were not taken.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    public void Write(ReadOnlyMemory<byte> line)
    {
        if (!_events.Writer.TryWrite(line))
        {
            Lose(1, "the buffer is full");
        }
    }

    /// <summary>Sends what is left, once.</summary>
    public async ValueTask DisposeAsync()
    {
        _events.Writer.TryComplete();
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _sending.ConfigureAwait(false);
        _connection.Dispose();
        _stopping.Dispose();
    }

    private async Task SendAllAsync()
    {
        var batch = new List<ReadOnlyMemory<byte>>();
        while (await _events.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            await GatherAsync(batch).ConfigureAwait(false);
            if (batch.Count > 0)
            {
                await SendAsync(batch).ConfigureAwait(false);
                batch.Clear();
            }
        }
    }

    private async Task GatherAsync(List<ReadOnlyMemory<byte>> batch)
    {
        using var over = new CancellationTokenSource(_options.MaxWait, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, _stopping.Token);
        try
        {
            do
            {
                while (batch.Count < _options.MaxSize && _events.Reader.TryRead(out var one))
                {
                    batch.Add(one);
                }
            }
            while (batch.Count < _options.MaxSize && await _events.Reader.WaitToReadAsync(either.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The oldest has waited long enough.
        }
    }

    private async Task SendAsync(List<ReadOnlyMemory<byte>> batch)
    {
        var pause = _options.InitialBackoff;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await _connection.PostAsync(Encode(batch), s_timeout, CancellationToken.None).ConfigureAwait(false);
                return;
            }
            catch (HttpRequestException e)
            {
                if (attempt == Tries || _stopping.IsCancellationRequested)
                {
                    Lose(batch.Count, e.Message);
                    return;
                }
            }

            await Task.Delay(pause, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause *= 2;
        }
    }

    private static byte[] Encode(List<ReadOnlyMemory<byte>> batch)
    {
        var list = new ArrayBufferWriter<byte>(batch.Sum(e => e.Length) + 128);
        list.Write("{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\"metadata\":{},\"items\":["u8);
        for (var i = 0; i < batch.Count; i++)
        {
            if (i > 0)
            {
                list.Write(","u8);
            }

            list.Write(batch[i].Span.TrimEnd((byte)'\n'));
        }

        list.Write("]}"u8);
        return list.WrittenSpan.ToArray();
    }

    private void Lose(int count, string why)
    {
        var lost = Interlocked.Add(ref _lost, count);
        if (count > 1 || (lost & (lost - 1)) == 0)
        {
            LogLost(_log, lost, why);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "audit webhook: {Lost} events are lost since the start; the last because {Reason}")]
    private static partial void LogLost(ILogger logger, long lost, string reason);
}
