using Hardway.Api.Coordination.V1;
using Hardway.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace Hardway.Client.Tests;

public sealed class LeaderElectorTests
{
    private static readonly TimeSpan _tick = TimeSpan.FromMilliseconds(500);
    private readonly WaitingTime _time = new();
    private readonly List<Instance> _all = [];
    private readonly InMemoryApi _api;

    public LeaderElectorTests() => _api = new InMemoryApi(_time);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>An instance that counts as working between start and end of its work.</summary>
    private sealed class Instance
    {
        private readonly CancellationTokenSource _stop = new();

        public Instance(InMemoryApi api, string identity)
        {
            Elector = new LeaderElector(api.NewClient(), new LeaderElectionOptions { ResourceName = "kube-controller-manager" }, "test", new ComponentLog(0, TextWriter.Null), identity: identity);
            Run = Task.Run(() => Elector.RunAsync(WorkAsync, _stop.Token));
        }

        public LeaderElector Elector { get; }
        public Task Run { get; }
        public volatile bool Works;

        public Task StopAsync() => _stop.CancelAsync();

        private async Task WorkAsync(CancellationToken ct)
        {
            Works = true;
            await Task.Delay(Timeout.Infinite, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Works = false;
        }
    }

    private Instance Start(string identity)
    {
        var instance = new Instance(_api, identity);
        _all.Add(instance);
        return instance;
    }

    /// <summary>Lets time pass in small steps until the condition holds; the simulated time it took.</summary>
    private async Task<TimeSpan> PassAsync(Func<bool> until, TimeSpan most)
    {
        var start = _time.GetUtcNow();
        await SettleAsync();
        while (!until())
        {
            if (_time.GetUtcNow() - start > most) return TimeSpan.MaxValue;
            _time.Advance(_tick);
            await SettleAsync();
        }
        return _time.GetUtcNow() - start;
    }

    /// <summary>Every instance that lives waits for time, and for nothing else; the work of one that lost its Lease has heard of it.</summary>
    private async Task SettleAsync()
    {
        while (_time.Waiting < _all.Count(i => !i.Run.IsCompleted) || _all.Exists(i => i.Elector.IsLeader != i.Works))
        {
            Stop.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    /// <summary>Time under the test's control that knows how many wait for it (Task.Delay's timers, not time-outs).</summary>
    private sealed class WaitingTime() : FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(50))
    {
        private int _waiting;

        public int Waiting => Volatile.Read(ref _waiting);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (state is not Task || dueTime == Timeout.InfiniteTimeSpan) return base.CreateTimer(callback, state, dueTime, period);
            // Counted only once time can wake it: counted before, it would be passed over by whoever lets time pass meanwhile.
            var stage = 0;
            void Close()
            {
                if (Interlocked.Exchange(ref stage, 2) == 1) Interlocked.Decrement(ref _waiting);
            }
            var timer = new Wait(base.CreateTimer(s => { Close(); callback(s); }, state, dueTime, period), Close);
            if (Interlocked.CompareExchange(ref stage, 1, 0) == 0) Interlocked.Increment(ref _waiting);
            return timer;
        }

        private sealed class Wait(ITimer inner, Action close) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => inner.Change(dueTime, period);

            public void Dispose()
            {
                close();
                inner.Dispose();
            }

            public ValueTask DisposeAsync()
            {
                close();
                return inner.DisposeAsync();
            }
        }
    }

    private async Task<LeaseSpec> LeaseAsync() => (await _api.NewClient().GetAsync<Lease>("kube-system", "kube-controller-manager", Stop)).Spec;

    [Fact]
    public async Task Of_two_instances_one_works_and_the_other_waits()
    {
        var a = Start("a");
        await PassAsync(() => a.Works, TimeSpan.FromSeconds(5));
        var b = Start("b");
        await PassAsync(() => b.Works, TimeSpan.FromSeconds(60));
        Assert.True(a.Works);
        Assert.False(b.Works);
        Assert.Equal("a", (await LeaseAsync()).HolderIdentity);
        Assert.Equal(15, (await LeaseAsync()).LeaseDurationSeconds);
        await b.StopAsync();
        await a.StopAsync();
        await a.Run;
    }

    [Fact]
    public async Task A_clean_stop_hands_over_within_the_retry_period()
    {
        var a = Start("a");
        await PassAsync(() => a.Works, TimeSpan.FromSeconds(5));
        var b = Start("b");
        await PassAsync(() => false, TimeSpan.FromSeconds(6));
        await a.StopAsync();
        await a.Run;
        Assert.Equal("", (await LeaseAsync()).HolderIdentity ?? "");
        var took = await PassAsync(() => b.Works, TimeSpan.FromSeconds(20));
        Assert.True(took <= TimeSpan.FromSeconds(3), $"took {took}");
        Assert.Equal(1, (await LeaseAsync()).LeaseTransitions);
        await b.StopAsync();
        await b.Run;
    }

    [Fact]
    public async Task A_leader_that_cannot_renew_stops_before_another_starts()
    {
        var cut = "";
        _api.Intercept = r => cut.Length > 0 && r.Method == HttpMethod.Put && r.Headers.UserAgent.ToString().StartsWith(cut, StringComparison.Ordinal) ? InMemoryApi.Error(500, "InternalError") : null;
        var a = Start("a");
        await PassAsync(() => a.Works, TimeSpan.FromSeconds(5));
        // From now on nobody can write; a must give up after its renew deadline, while b still waits.
        cut = "test";
        var b = Start("b");
        var took = await PassAsync(() => !a.Works, TimeSpan.FromSeconds(30));
        Assert.InRange(took, TimeSpan.FromSeconds(6), TimeSpan.FromSeconds(13));
        Assert.False(b.Works);
        await Assert.ThrowsAsync<ComponentException>(() => a.Run);
        cut = "";
        Assert.NotEqual(TimeSpan.MaxValue, await PassAsync(() => b.Works, TimeSpan.FromSeconds(20)));
        await b.StopAsync();
        await b.Run;
    }

    [Fact]
    public async Task Clocks_of_other_machines_do_not_matter()
    {
        // A Lease that another instance wrote with a clock far behind ours: it looks expired, but only its not changing counts.
        var lease = new Lease();
        lease.Metadata.Namespace = "kube-system";
        lease.Metadata.Name = "kube-controller-manager";
        lease.Spec = new LeaseSpec { HolderIdentity = "other", LeaseDurationSeconds = 15, RenewTime = _time.GetUtcNow().AddHours(-5), AcquireTime = _time.GetUtcNow().AddHours(-5), LeaseTransitions = 3 };
        await _api.NewClient().CreateAsync(lease, Stop);
        var a = Start("a");
        var took = await PassAsync(() => a.Works, TimeSpan.FromSeconds(60));
        Assert.InRange(took, TimeSpan.FromSeconds(14), TimeSpan.FromSeconds(19));
        Assert.Equal(4, (await LeaseAsync()).LeaseTransitions);
        await a.StopAsync();
        await a.Run;
    }
}
