using System.Threading.Channels;
using Google.Protobuf;

namespace Hardway.Grpc;

/// <summary>
/// A call on which both sides stream. Sending and receiving are independent of each other; any number of senders, one receiver.
/// Disposing it cancels the call if it still goes on.
/// </summary>
public sealed class GrpcDuplexCall<TRequest, TResponse> : IAsyncDisposable
    where TRequest : IMessage
    where TResponse : IMessage<TResponse>
{
    private readonly StreamingContent _content;
    private readonly ResponseReader<TResponse> _reader;
    private readonly CallScope _scope;
    private bool _disposed;

    internal GrpcDuplexCall(StreamingContent content, ResponseReader<TResponse> reader, CallScope scope)
    {
        _content = content;
        _reader = reader;
        _scope = scope;
    }

    /// <summary>Hands over one message; waits only while too many are waiting for the connection.</summary>
    public async ValueTask SendAsync(TRequest message, CancellationToken cancellationToken)
    {
        try
        {
            using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _scope.Token);
            await _content.SendAsync(GrpcFrame.Encode(message), both.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ChannelClosedException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new GrpcException(StatusCode.Unavailable, "the call is over; its status is seen by the receiver", e);
        }
    }

    /// <summary>Says that nothing more is sent.</summary>
    public void CompleteSending() => _content.Complete();

    /// <summary>The next response; null at the end with status OK. Other ends are a <see cref="GrpcException"/>.</summary>
    public ValueTask<TResponse?> ReceiveAsync() => _reader.ReadAsync();

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _content.Complete();
        await _reader.DisposeAsync().ConfigureAwait(false);
        _scope.Dispose();
    }
}
