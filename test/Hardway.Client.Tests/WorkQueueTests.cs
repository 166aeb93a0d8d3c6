using Microsoft.Extensions.Time.Testing;

namespace Hardway.Client.Tests;

public sealed class WorkQueueTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly WorkQueue _queue;

    public WorkQueueTests() => _queue = new WorkQueue("test", _time);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_is_in_the_queue_once()
    {
        _queue.Add("a");
        _queue.Add("a");
        Assert.Equal(1, _queue.Count);
        Assert.Equal("a", await _queue.GetAsync(Stop));
        Assert.Equal(0, _queue.Count);
    }

    [Fact]
    public async Task A_key_added_while_it_is_worked_on_comes_back_after_that()
    {
        _queue.Add("a");
        await _queue.GetAsync(Stop);
        _queue.Add("a");
        Assert.Equal(0, _queue.Count);
        _queue.Done("a");
        Assert.Equal("a", await _queue.GetAsync(Stop));
        _queue.Done("a");
        Assert.Equal(0, _queue.Count);
    }

    [Fact]
    public void Of_two_delays_the_earlier_counts()
    {
        _queue.AddAfter("a", TimeSpan.FromSeconds(10));
        _queue.AddAfter("a", TimeSpan.FromSeconds(2));
        _queue.AddAfter("a", TimeSpan.FromSeconds(30));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, _queue.Count);
        _time.Advance(TimeSpan.FromSeconds(1.1));
        Assert.Equal(1, _queue.Count);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1, _queue.Count);
    }

    [Fact]
    public void Failures_wait_twice_as_long_each_time_up_to_a_bound()
    {
        Assert.Equal(TimeSpan.FromMilliseconds(5), _queue.BackoffOf(0));
        Assert.Equal(TimeSpan.FromMilliseconds(40), _queue.BackoffOf(3));
        Assert.Equal(TimeSpan.FromSeconds(1000), _queue.BackoffOf(30));
        _queue.AddRateLimited("a");
        _time.Advance(TimeSpan.FromMilliseconds(7));
        Assert.Equal(1, _queue.Count);
        Assert.Equal(1, _queue.Failures("a"));
        _queue.Forget("a");
        Assert.Equal(0, _queue.Failures("a"));
    }

    [Fact]
    public async Task Work_in_progress_is_measured_when_it_is_asked_for()
    {
        var metrics = new Hardway.Hosting.Metrics();
        using var queue = new WorkQueue("busy", _time, metrics);
        queue.Add("a");
        queue.Add("b");
        await queue.GetAsync(TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromSeconds(5));
        await queue.GetAsync(TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromSeconds(2));
        var text = metrics.Render();
        Assert.Contains("workqueue_unfinished_work_seconds{name=\"busy\"} 9", text, StringComparison.Ordinal);
        Assert.Contains("workqueue_longest_running_processor_seconds{name=\"busy\"} 7", text, StringComparison.Ordinal);
        queue.Done("a");
        Assert.Equal((2.0, 2.0), queue.Unfinished());
    }
}
