namespace Hardway.Grpc;

/// <summary>
/// The life of one call: its caller's token, its deadline, and its own end. Knows which of them stopped the call, so that a
/// cancelled caller sees <see cref="OperationCanceledException"/> and everything else a <see cref="GrpcException"/>.
/// </summary>
internal sealed class CallScope : IDisposable
{
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _source;
    private readonly TimeSpan? _deadline;
    private readonly long _start = TimeProvider.System.GetTimestamp();

    public CallScope(TimeSpan? deadline, CancellationToken caller)
    {
        _caller = caller;
        _deadline = deadline;
        _source = CancellationTokenSource.CreateLinkedTokenSource(caller);
        if (deadline is { } limit)
        {
            _source.CancelAfter(limit > TimeSpan.Zero ? limit : TimeSpan.Zero);
        }
    }

    public CancellationToken Token => _source.Token;

    public TimeSpan? Remaining => _deadline - TimeProvider.System.GetElapsedTime(_start);

    public void Cancel() => _source.Cancel();

    public void Dispose() => _source.Dispose();

    /// <summary>What the caller is to see instead of this exception; null when it may see the exception itself.</summary>
    public Exception? Translate(Exception e, string target) => e switch
    {
        GrpcException => null,
        _ when _caller.IsCancellationRequested => e is OperationCanceledException ? null : new OperationCanceledException("the call was cancelled", e, _caller),
        _ when _source.IsCancellationRequested && _deadline is not null => new GrpcException(StatusCode.DeadlineExceeded, $"{target} did not answer within {_deadline.Value.TotalSeconds:0.###} s", e),
        _ when _source.IsCancellationRequested => new GrpcException(StatusCode.Cancelled, "the call was ended by its owner", e),
        OperationCanceledException { InnerException: TimeoutException } => new GrpcException(StatusCode.Unavailable, $"{target}: the connection could not be made in time", e, notSent: true),
        OperationCanceledException => new GrpcException(StatusCode.Unavailable, $"{target}: the connection ended", e),
        Google.Protobuf.InvalidProtocolBufferException => new GrpcException(StatusCode.Internal, $"{target} sent a message that is not of the expected type: {e.Message}", e),
        HttpRequestException or IOException => GrpcStatus.FromTransport(e, target),
        _ => null,
    };
}
