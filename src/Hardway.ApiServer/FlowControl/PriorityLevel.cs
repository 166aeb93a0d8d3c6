using Hardway.Api.FlowControl.V1;

namespace Hardway.ApiServer.FlowControl;

/// <summary>
/// A level's seats and queues (KEP-1040). A request takes seats while there are any and nobody waits; else it waits in the shortest queue of
/// its flow's hand, or is turned away where queues are full or the level has none. A free seat goes to the queue that has been served least
/// (start-time fair queuing by the seats and seconds that its requests took).
/// <para>
/// All state is under one lock a level, held for a few instructions; waiting is done outside. The limit is set from outside (borrowing), and
/// may fall below what executes: then nothing starts until enough has ended.
/// </para>
/// </summary>
internal sealed class PriorityLevel
{
    /// <summary>What a request is taken to last until it has ended.</summary>
    private const double GuessedSeconds = 0.005;

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private FlowQueue[] _queues = [];
    private int _handSize;
    private int _queueCount;
    private int _queueLimit;
    private int _limit;
    private int _executing;
    private int _executingRequests;
    private int _waitingRequests;
    private int _waitingSeats;
    private double _virtualNow;
    private SeatDemand _demand = new(0);

    public PriorityLevel(string name, TimeProvider time)
    {
        Name = name;
        _time = time;
    }

    public string Name { get; }

    public bool IsExempt { get; private set; }

    public LevelShares Shares { get; private set; }

    public int Limit => Volatile.Read(ref _limit);

    public int Executing => Volatile.Read(ref _executing);

    public int ExecutingRequests => Volatile.Read(ref _executingRequests);

    public int Waiting => Volatile.Read(ref _waitingRequests);

    public void Configure(PriorityLevelConfigurationSpec spec, LevelShares shares)
    {
        lock (_gate)
        {
            IsExempt = spec.Type == "Exempt";
            Shares = shares;
            _limit = shares.Nominal;
            var queuing = spec.Limited?.LimitResponse is { Type: "Queue", Queuing: { } given } ? given : null;
            _handSize = Math.Clamp(queuing?.HandSize ?? 0, 0, ShuffleShard.LargestHand);
            _queueLimit = queuing?.QueueLengthLimit ?? 0;
            _queueCount = queuing?.Queues ?? 0;
            if (_queues.Length != _queueCount)
            {
                // Those who wait keep the queue that they wait in until it is empty.
                var left = _queues.Where(q => q.Count > 0).ToArray();
                _queues = [.. Enumerable.Range(0, _queueCount).Select(_ => new FlowQueue { NextStart = _virtualNow }), .. left];
            }

            StartNext();
        }
    }

    /// <summary>A ticket that executes already, or one whose <see cref="FlowTicket.Turn"/> is to be awaited, or null with the reason.</summary>
    public FlowTicket? Enter(ulong flow, int seats, out FlowRejection rejection)
    {
        rejection = FlowRejection.None;
        var ticket = new FlowTicket(this, IsExempt ? seats : Math.Min(seats, Math.Max(1, _limit)));
        lock (_gate)
        {
            if (IsExempt || (_waitingRequests == 0 && _executing + ticket.Seats <= _limit))
            {
                if (!IsExempt && _queueCount > 0)
                {
                    ticket.Queue = ChooseQueue(flow);
                }

                Start(ticket);
                return ticket;
            }

            if (_queueCount == 0)
            {
                rejection = FlowRejection.ConcurrencyLimit;
                return null;
            }

            var queue = ChooseQueue(flow);
            if (queue.Count >= _queueLimit)
            {
                rejection = FlowRejection.QueueFull;
                return null;
            }

            ticket.ArrivedAt = _time.GetTimestamp();
            ticket.Turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            ticket.Queue = queue;
            Begin(queue);
            queue.Add(ticket);
            _waitingRequests++;
            _waitingSeats += ticket.Seats;
            NoteDemand();
            StartNext();
            return ticket;
        }
    }

    /// <summary>Ends the ticket, whatever its state: it executes, waits or has given up.</summary>
    public void Leave(FlowTicket ticket)
    {
        lock (_gate)
        {
            if (ticket.Place is not null)
            {
                ticket.Queue!.Remove(ticket);
                _waitingRequests--;
                _waitingSeats -= ticket.Seats;
            }
            else
            {
                _executing -= ticket.Seats;
                _executingRequests--;
                if (ticket.Queue is { } queue)
                {
                    queue.SeatsExecuting -= ticket.Seats;
                    queue.NextStart += ticket.Seats * (_time.GetElapsedTime(ticket.StartedAt).TotalSeconds - GuessedSeconds);
                }
            }

            NoteDemand();
            StartNext();
        }
    }

    /// <summary>Sets what borrowing allots.</summary>
    public void SetLimit(int limit)
    {
        lock (_gate)
        {
            Volatile.Write(ref _limit, limit);
            StartNext();
        }
    }

    /// <summary>What was asked for since the last call.</summary>
    public SeatDemand TakeDemand()
    {
        lock (_gate)
        {
            NoteDemand();
            var taken = _demand;
            _demand = new SeatDemand(_time.GetTimestamp());
            NoteDemand();
            return taken;
        }
    }

    private FlowQueue ChooseQueue(ulong flow)
    {
        Span<int> hand = stackalloc int[Math.Min(_handSize, _queueCount)];
        ShuffleShard.Deal(flow, _queueCount, hand);
        var best = _queues[hand[0]];
        foreach (var card in hand[1..])
        {
            var queue = _queues[card];
            if (queue.SeatsWaiting + queue.SeatsExecuting < best.SeatsWaiting + best.SeatsExecuting)
            {
                best = queue;
            }
        }

        return best;
    }

    /// <summary>A queue that was idle has no claim on what it did not use.</summary>
    private void Begin(FlowQueue queue)
    {
        if (queue.IsIdle)
        {
            queue.NextStart = Math.Max(queue.NextStart, _virtualNow);
        }
    }

    private void Start(FlowTicket ticket)
    {
        ticket.StartedAt = _time.GetTimestamp();
        _executing += ticket.Seats;
        _executingRequests++;
        if (ticket.Queue is { } queue)
        {
            Begin(queue);
            _virtualNow = Math.Max(_virtualNow, queue.NextStart);
            queue.SeatsExecuting += ticket.Seats;
            queue.NextStart += ticket.Seats * GuessedSeconds;
        }

        NoteDemand();
    }

    private void StartNext()
    {
        while (_waitingRequests > 0)
        {
            FlowQueue? next = null;
            foreach (var queue in _queues)
            {
                if (queue.Count > 0 && (next is null || queue.NextStart < next.NextStart))
                {
                    next = queue;
                }
            }

            var ticket = next!.First;
            if (_executing > 0 && _executing + ticket.Seats > _limit && !IsExempt)
            {
                return;
            }

            if (_limit == 0 && !IsExempt)
            {
                return;
            }

            next.Remove(ticket);
            _waitingRequests--;
            _waitingSeats -= ticket.Seats;
            Start(ticket);
            ticket.Turn!.TrySetResult();
        }
    }

    private void NoteDemand() => _demand.Note(_executing + _waitingSeats, _time);
}
