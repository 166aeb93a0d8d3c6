namespace Hardway.ApiServer.FlowControl;

/// <summary>One queue of a priority level: requests of the flows that were dealt it, first come first served. Under the level's lock.</summary>
internal sealed class FlowQueue
{
    private readonly LinkedList<FlowTicket> _waiting = [];

    /// <summary>The virtual time at which the next of this queue begins: how much this queue has been served.</summary>
    public double NextStart { get; set; }

    public int Count => _waiting.Count;

    public int SeatsWaiting { get; private set; }

    public int SeatsExecuting { get; set; }

    public bool IsIdle => SeatsWaiting == 0 && SeatsExecuting == 0;

    public FlowTicket First => _waiting.First!.Value;

    public void Add(FlowTicket ticket)
    {
        ticket.Place = _waiting.AddLast(ticket);
        SeatsWaiting += ticket.Seats;
    }

    public void Remove(FlowTicket ticket)
    {
        _waiting.Remove(ticket.Place!);
        ticket.Place = null;
        SeatsWaiting -= ticket.Seats;
    }
}
