using System.Buffers;
using System.Buffers.Binary;
using Google.Protobuf;

namespace Hardway.Grpc;

/// <summary>The length-prefixed message: one byte "compressed", four bytes of length (big endian), the message.</summary>
internal static class GrpcFrame
{
    public const int PrefixLength = 5;

    public static byte[] Encode(IMessage message)
    {
        var size = message.CalculateSize();
        var frame = new byte[PrefixLength + size];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), size);
        message.WriteTo(frame.AsSpan(PrefixLength));
        return frame;
    }

    /// <summary>The next message, or null at a clean end of the stream.</summary>
    public static async ValueTask<T?> ReadAsync<T>(Stream body, MessageParser<T> parser, int maxSize, CancellationToken cancellationToken)
        where T : IMessage<T>
    {
        var prefix = new byte[PrefixLength];
        var got = await body.ReadAtLeastAsync(prefix, PrefixLength, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        if (got == 0)
        {
            return default;
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix.AsSpan(1));
        if (got < PrefixLength)
        {
            throw new GrpcException(StatusCode.Internal, "the stream ended inside a message");
        }

        if (prefix[0] != 0)
        {
            throw new GrpcException(StatusCode.Unimplemented, "the server sent a compressed message, which was not offered");
        }

        if (length > maxSize)
        {
            throw new GrpcException(StatusCode.ResourceExhausted, $"the server sent a message of {length} bytes; the limit is {maxSize}");
        }

        var buffer = ArrayPool<byte>.Shared.Rent((int)length);
        try
        {
            await body.ReadExactlyAsync(buffer.AsMemory(0, (int)length), cancellationToken).ConfigureAwait(false);
            return parser.ParseFrom(buffer.AsSpan(0, (int)length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
