using Hardway.Api.FlowControl.V1;
using Hardway.ApiServer.FlowControl;

namespace Hardway.ApiServer.Tests.FlowControl;

public sealed class PriorityLevelTests
{
    private readonly Clock _clock = new();

    [Fact]
    public void A_hand_has_different_queues_and_is_the_same_each_time()
    {
        Span<int> hand = stackalloc int[8];
        Span<int> again = stackalloc int[8];
        var seen = new HashSet<int>();
        for (var flow = 0; flow < 500; flow++)
        {
            var hash = ShuffleShard.Hash("schema", "user" + flow);
            ShuffleShard.Deal(hash, 64, hand);
            ShuffleShard.Deal(hash, 64, again);
            Assert.True(hand.SequenceEqual(again));
            Assert.Equal(8, hand.ToArray().Distinct().Count());
            Assert.All(hand.ToArray(), card => Assert.InRange(card, 0, 63));
            seen.UnionWith(hand.ToArray());
        }

        Assert.Equal(64, seen.Count);
    }

    [Fact]
    public void A_level_without_queues_turns_away_what_finds_no_seat()
    {
        var level = Level(2, queues: 0);
        using var first = level.Enter(1, 1, out _);
        var second = level.Enter(2, 1, out _);
        Assert.Null(level.Enter(3, 1, out var why));
        Assert.Equal(FlowRejection.ConcurrencyLimit, why);
        second!.Dispose();
        using var third = level.Enter(3, 1, out _);
        Assert.Null(third!.Turn);
    }

    [Fact]
    public void Who_waits_goes_on_when_a_seat_is_free_and_a_full_queue_refuses()
    {
        var level = Level(1, queues: 1, length: 2);
        var running = level.Enter(1, 1, out _)!;
        var waiting = level.Enter(1, 1, out _)!;
        var givenUp = level.Enter(1, 1, out _)!;
        Assert.Null(level.Enter(1, 1, out var why));
        Assert.Equal(FlowRejection.QueueFull, why);
        Assert.False(waiting.Turn!.Task.IsCompleted);
        running.Dispose();
        Assert.True(waiting.Turn.Task.IsCompleted);
        givenUp.Dispose();
        waiting.Dispose();
        Assert.Equal((0, 0), (level.Executing, level.Waiting));
    }

    [Fact]
    public void A_flow_that_floods_does_not_hold_up_another()
    {
        var level = Level(1, queues: 64, length: 50, hand: 4);
        var flood = ShuffleShard.Hash("s", "flood");
        var (calm, running) = (ShuffleShard.Hash("s", "calm"), level.Enter(flood, 1, out _)!);
        var floods = Enumerable.Range(0, 40).Select(n => level.Enter(flood, 1, out _)!).ToList();
        var one = level.Enter(calm, 1, out _)!;
        var served = 0;
        while (!one.Turn!.Task.IsCompleted)
        {
            _clock.Now += TimeSpan.FromMilliseconds(10);
            running.Dispose();
            if (floods.Find(t => t.Turn!.Task.IsCompleted) is { } next)
            {
                floods.Remove(next);
                running = next;
                served++;
            }
        }

        Assert.True(served <= 5, $"{served} of the flood went before");
    }

    [Fact]
    public void A_wide_request_takes_as_many_seats_as_there_are_at_most()
    {
        var level = Level(4, queues: 1);
        var wide = level.Enter(1, 10, out _)!;
        Assert.Equal(4, level.Executing);
        var next = level.Enter(1, 1, out _)!;
        Assert.False(next.Turn!.Task.IsCompleted);
        wide.Dispose();
        Assert.Equal(1, level.Executing);
    }

    [Fact]
    public void Exempt_is_never_held_up()
    {
        var level = new PriorityLevel("exempt", _clock);
        level.Configure(new PriorityLevelConfigurationSpec { Type = "Exempt" }, default);
        Assert.All(Enumerable.Range(0, 1000), n => Assert.Null(level.Enter((ulong)n, 10, out _)!.Turn));
    }

    [Fact]
    public void Seats_go_from_who_does_not_want_them_to_who_does()
    {
        var busy = new SeatWish(Level(1, 0), 20, 90, 600);
        var idle = new SeatWish(Level(1, 0), 10, 10, 600);
        var bounded = new SeatWish(Level(1, 0), 5, 50, 30);
        var seats = SeatBorrowing.Allot([busy, idle, bounded], 150);
        Assert.InRange(seats.Sum(), 148, 150);
        Assert.True(seats[0] > 90, $"the busy one has {seats[0]}");
        Assert.InRange(seats[1], 10, 20);
        Assert.Equal(30, seats[2]);
    }

    [Fact]
    public void A_level_that_is_idle_keeps_a_seat()
    {
        var shares = LevelShares.Of(SuggestedConfiguration.Levels, 6);
        var levels = SuggestedConfiguration.Levels.Select(l =>
        {
            var level = new PriorityLevel(l.Metadata.Name, _clock);
            level.Configure(l.Spec, shares[l.Metadata.Name]);
            return level;
        }).ToList();
        new SeatBorrowing(6).Adjust(levels);
        Assert.All(levels.Where(l => !l.IsExempt), l => Assert.True(l.Limit >= 1, $"{l.Name} has {l.Limit}"));
    }

    [Fact]
    public void Shares_make_nominal_seats_and_bounds()
    {
        var shares = LevelShares.Of(SuggestedConfiguration.Levels, 600);
        Assert.Equal(new LevelShares(245, 24, 600), shares["workload-low"]);
        Assert.Equal(new LevelShares(13, 13, 600), shares["catch-all"]);
        Assert.Equal(0, shares["exempt"].Nominal);
    }

    private PriorityLevel Level(int seats, int queues, int length = 50, int hand = 1)
    {
        var level = new PriorityLevel("test", _clock);
        var response = queues == 0 ? new LimitResponse { Type = "Reject" } : new LimitResponse { Type = "Queue", Queuing = new() { Queues = queues, HandSize = hand, QueueLengthLimit = length } };
        level.Configure(new PriorityLevelConfigurationSpec { Type = "Limited", Limited = new() { LimitResponse = response } }, new LevelShares(seats, seats, seats));
        return level;
    }
}
