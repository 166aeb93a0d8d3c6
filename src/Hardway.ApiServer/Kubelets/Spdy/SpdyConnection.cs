using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using System.Threading.Channels;

namespace Hardway.ApiServer.Kubelets.Spdy;

/// <summary>
/// The client's end of SPDY/3.1 (draft-mbelshe-httpbis-spdy-00), as container runtimes speak it for exec, attach and port-forward: it opens
/// streams with headers, sends and receives data, and answers pings. There is no flow control, as the runtimes have none.
/// <code>
/// control frame: 1|version 3 (16) | type (16) | flags (8) | length (24)      data frame: 0|stream (31) | flags (8) | length (24)
/// </code>
/// Header blocks are sent as stored (uncompressed) parts of one zlib stream, which needs no dictionary; those received are not needed and
/// passed over. One reader loop (<see cref="RunAsync"/>); writers are serialised.
/// </summary>
internal sealed class SpdyConnection(Stream connection) : IAsyncDisposable
{
    private const int MaxFrame = 1 << 20;
    private const ushort SynStream = 1;
    private const ushort RstStream = 3;
    private const ushort Ping = 6;
    private const ushort GoAway = 7;
    private readonly ConcurrentDictionary<uint, SpdyStream> _streams = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private uint _nextStream = 1;
    private bool _zlibBegun;

    /// <summary>Opens a stream; numbers are odd and grow, as the client's must.</summary>
    public async Task<SpdyStream> OpenAsync(IEnumerable<KeyValuePair<string, string>> headers, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var stream = new SpdyStream(this, _nextStream);
            _nextStream += 2;
            _streams[stream.Id] = stream;
            var block = HeaderBlock(headers);
            var frame = new byte[8 + 10 + block.Length];
            ControlHead(frame, SynStream, 0, 10 + block.Length);
            BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(8), stream.Id);
            block.CopyTo(frame, 18);
            await connection.WriteAsync(frame, cancellationToken).ConfigureAwait(false);
            await connection.FlushAsync(cancellationToken).ConfigureAwait(false);
            return stream;
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Reads frames until the peer closes; ends all streams then.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            var head = new byte[8];
            while (await TryReadAsync(head, cancellationToken).ConfigureAwait(false))
            {
                var length = (head[5] << 16) | (head[6] << 8) | head[7];
                if (length > MaxFrame)
                {
                    throw new IOException("the peer sent a SPDY frame that is too large");
                }

                var body = new byte[length];
                await connection.ReadExactlyAsync(body, cancellationToken).ConfigureAwait(false);
                if ((head[0] & 0x80) == 0)
                {
                    await TakeDataAsync(BinaryPrimitives.ReadUInt32BigEndian(head), (head[4] & 1) != 0, body, cancellationToken).ConfigureAwait(false);
                }
                else if (!await TakeControlAsync((ushort)((head[2] << 8) | head[3]), body, cancellationToken).ConfigureAwait(false))
                {
                    return;
                }
            }
        }
        finally
        {
            foreach (var stream in _streams.Values)
            {
                stream.End();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await connection.DisposeAsync().ConfigureAwait(false);
        _writing.Dispose();
    }

    internal async ValueTask SendAsync(uint stream, ReadOnlyMemory<byte> data, bool last, CancellationToken cancellationToken)
    {
        var head = new byte[8];
        BinaryPrimitives.WriteUInt32BigEndian(head, stream);
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(4), (uint)data.Length | (last ? 0x0100_0000u : 0));
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await connection.WriteAsync(head, cancellationToken).ConfigureAwait(false);
            await connection.WriteAsync(data, cancellationToken).ConfigureAwait(false);
            await connection.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    private static void ControlHead(Span<byte> frame, ushort type, byte flags, int length)
    {
        BinaryPrimitives.WriteUInt16BigEndian(frame, 0x8003);
        BinaryPrimitives.WriteUInt16BigEndian(frame[2..], type);
        BinaryPrimitives.WriteUInt32BigEndian(frame[4..], (uint)length | ((uint)flags << 24));
    }

    private async ValueTask<bool> TryReadAsync(byte[] head, CancellationToken cancellationToken) =>
        await connection.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) == head.Length;

    private async ValueTask TakeDataAsync(uint id, bool last, byte[] data, CancellationToken cancellationToken)
    {
        if (!_streams.TryGetValue(id, out var stream))
        {
            return;
        }

        if (data.Length > 0)
        {
            await stream.TakeAsync(data, cancellationToken).ConfigureAwait(false);
        }

        if (last)
        {
            stream.End();
        }
    }

    private async ValueTask<bool> TakeControlAsync(ushort type, byte[] body, CancellationToken cancellationToken)
    {
        switch (type)
        {
            case Ping when body.Length == 4:
                var answer = new byte[12];
                ControlHead(answer, Ping, 0, 4);
                body.CopyTo(answer, 8);
                await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
                try
                {
                    await connection.WriteAsync(answer, cancellationToken).ConfigureAwait(false);
                    await connection.FlushAsync(cancellationToken).ConfigureAwait(false);
                }
                finally
                {
                    _writing.Release();
                }

                return true;
            case RstStream when body.Length >= 4 && _streams.TryGetValue(BinaryPrimitives.ReadUInt32BigEndian(body), out var reset):
                reset.End();
                return true;
            case GoAway:
                return false;
            default:
                return true;
        }
    }

    private byte[] HeaderBlock(IEnumerable<KeyValuePair<string, string>> headers)
    {
        var plain = new MemoryStream();
        var all = headers.ToList();
        Write32(plain, (uint)all.Count);
        foreach (var (name, value) in all)
        {
            WriteText(plain, name.ToLowerInvariant());
            WriteText(plain, value);
        }

        var data = plain.ToArray();
        var block = new MemoryStream();
        if (!_zlibBegun)
        {
            // zlib's head: deflate, 32 KiB window, no dictionary.
            block.Write([0x78, 0x01]);
            _zlibBegun = true;
        }

        // One stored block that is not the last of the zlib stream.
        block.Write([0x00, (byte)data.Length, (byte)(data.Length >> 8), (byte)~data.Length, (byte)(~data.Length >> 8)]);
        block.Write(data);
        return block.ToArray();
    }

    private static void WriteText(MemoryStream to, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Write32(to, (uint)bytes.Length);
        to.Write(bytes);
    }

    private static void Write32(MemoryStream to, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        to.Write(bytes);
    }
}

/// <summary>One stream: what the peer sends is read from <see cref="ReadAllAsync"/>, bounded, so that a slow reader slows the connection.</summary>
internal sealed class SpdyStream(SpdyConnection connection, uint id)
{
    private readonly Channel<byte[]> _received = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(64) { SingleReader = true });

    public uint Id { get; } = id;

    public IAsyncEnumerable<byte[]> ReadAllAsync(CancellationToken cancellationToken) => _received.Reader.ReadAllAsync(cancellationToken);

    public ValueTask SendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => connection.SendAsync(Id, data, last: false, cancellationToken);

    public ValueTask FinishAsync(CancellationToken cancellationToken) => connection.SendAsync(Id, ReadOnlyMemory<byte>.Empty, last: true, cancellationToken);

    internal ValueTask TakeAsync(byte[] data, CancellationToken cancellationToken) => _received.Writer.TryWrite(data) ? ValueTask.CompletedTask : WriteAsync(data, cancellationToken);

    internal void End() => _received.Writer.TryComplete();

    private async ValueTask WriteAsync(byte[] data, CancellationToken cancellationToken)
    {
        try
        {
            await _received.Writer.WriteAsync(data, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            // The stream was reset: what comes after is not wanted.
        }
    }
}
