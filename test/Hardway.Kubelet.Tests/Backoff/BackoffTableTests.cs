using Hardway.Kubelet.Backoff;

namespace Hardway.Kubelet.Tests.Backoff;

public sealed class BackoffTableTests
{
    private readonly ManualTime _time = new();
    private readonly BackoffTable _table;

    public BackoffTableTests() => _table = new BackoffTable(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(5), _time);

    [Fact]
    public void The_first_failure_does_not_wait() => Assert.Equal(TimeSpan.Zero, _table.Remaining("c", _time.GetUtcNow()));

    [Fact]
    public void Delays_double_from_ten_seconds_to_five_minutes()
    {
        var delays = new List<double>();
        for (var i = 0; i < 7; i++)
        {
            _table.Next("c", _time.GetUtcNow());
            delays.Add(_table.Remaining("c", _time.GetUtcNow()).TotalSeconds);
            _time.Advance(TimeSpan.FromSeconds(delays[^1]));
            Assert.Equal(TimeSpan.Zero, _table.Remaining("c", _time.GetUtcNow() - TimeSpan.FromSeconds(delays[^1])));
        }
        Assert.Equal([10, 20, 40, 80, 160, 300, 300], delays);
    }

    [Fact]
    public void A_container_that_ran_for_long_starts_from_the_first_delay()
    {
        for (var i = 0; i < 5; i++)
            _table.Next("c", _time.GetUtcNow());
        _time.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal(TimeSpan.Zero, _table.Remaining("c", _time.GetUtcNow()));
        _table.Next("c", _time.GetUtcNow());
        Assert.Equal(TimeSpan.FromSeconds(10), _table.Delay("c"));
    }

    [Fact]
    public void A_pods_keys_are_forgotten_together()
    {
        _table.Next("uid1/a", _time.GetUtcNow());
        _table.Next("uid2/a", _time.GetUtcNow());
        _table.ForgetWithPrefix("uid1/");
        Assert.Equal(TimeSpan.Zero, _table.Delay("uid1/a"));
        Assert.NotEqual(TimeSpan.Zero, _table.Delay("uid2/a"));
    }
}
