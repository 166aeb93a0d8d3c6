using Microsoft.Extensions.Time.Testing;

namespace Hardway.Hosting.Tests;

public sealed class ComponentHostTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _seen = [];

    private ComponentHost NewHost() => new("test", new ComponentLog(0, TextWriter.Null), _time);

    private Func<CancellationToken, Task> Until(string name) => async stop =>
    {
        await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_seen) _seen.Add("stopped " + name);
    };

    [Fact]
    public async Task Stages_start_in_order_and_stop_in_reverse()
    {
        using var stop = new CancellationTokenSource();
        var started = new TaskCompletionSource();
        var host = NewHost()
            .Add("health", Until("health"), _ => { _seen.Add("init health"); return Task.CompletedTask; })
            .Add("workers", Until("workers"), _ => { _seen.Add("init workers"); return Task.CompletedTask; })
            .AddInit("ready", _ => { started.SetResult(); return Task.CompletedTask; });
        var run = host.RunAsync(stop.Token);
        await started.Task;
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        Assert.Equal(["init health", "init workers", "stopped workers", "stopped health"], _seen);
    }

    [Fact]
    public async Task A_stage_that_fails_ends_the_component_and_stops_the_others()
    {
        var host = NewHost().Add("health", Until("health")).Add("leader", _ => throw new ComponentException("lease lost"));
        var error = await Assert.ThrowsAsync<ComponentException>(() => host.RunAsync(TestContext.Current.CancellationToken));
        Assert.Equal("lease lost", error.Message);
        Assert.Equal(["stopped health"], _seen);
    }

    [Fact]
    public async Task A_stage_that_fails_while_another_initialises_cancels_that_one()
    {
        var host = NewHost().Add("serving", _ => throw new ComponentException("port taken")).AddInit("caches", stop => Task.Delay(Timeout.Infinite, stop));
        var error = await Assert.ThrowsAsync<ComponentException>(() => host.RunAsync(TestContext.Current.CancellationToken));
        Assert.Equal("port taken", error.Message);
    }
}
