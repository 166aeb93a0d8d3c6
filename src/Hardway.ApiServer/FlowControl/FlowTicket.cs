namespace Hardway.ApiServer.FlowControl;

/// <summary>A request's place in a priority level: it waits, executes, and gives its seats back when it is disposed. Disposed once, by the request's flow.</summary>
internal sealed class FlowTicket(PriorityLevel level, int seats) : IDisposable
{
    public int Seats { get; } = seats;

    public FlowQueue? Queue { get; set; }

    public LinkedListNode<FlowTicket>? Place { get; set; }

    public long ArrivedAt { get; set; }

    public long StartedAt { get; set; }

    /// <summary>Ends with true when it may go on; null for one that never had to wait.</summary>
    public TaskCompletionSource? Turn { get; set; }

    public void Dispose() => level.Leave(this);
}

/// <summary>Why a request was not let in, in the words of apiserver_flowcontrol_rejected_requests_total.</summary>
internal enum FlowRejection
{
    None,
    ConcurrencyLimit,
    QueueFull,
    TimeOut,
    Cancelled,
}
