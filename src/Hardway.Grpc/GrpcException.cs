namespace Hardway.Grpc;

/// <summary>
/// A call that ended with a status other than OK, or that never got one (the status is then the client's own view of the failure).
/// <see cref="NotSent"/> is true only when the server certainly did not act on the request; only then may a call that is not
/// idempotent be tried again.
/// </summary>
public sealed class GrpcException : Exception
{
    public GrpcException(StatusCode status, string detail, Exception? inner = null, bool notSent = false)
        : base($"{status}: {detail}", inner)
    {
        Status = status;
        Detail = detail;
        NotSent = notSent;
    }

    public StatusCode Status { get; }

    /// <summary>The server's grpc-message, or our own words when there was none.</summary>
    public string Detail { get; }

    public bool NotSent { get; }
}
