using Hardway.Hosting;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Tests;

public sealed class StepRunnerTests
{
    private readonly List<string> _order = [];

    [Fact]
    public async Task Steps_run_after_what_they_depend_on_and_machines_in_parallel()
    {
        var both = new TaskCompletionSource();
        var started = 0;
        Task Meet()
        {
            // Both machines' etcd must be under way before either may end.
            if (Interlocked.Increment(ref started) == 2)
            {
                both.SetResult();
            }

            return both.Task;
        }

        var report = await RunAsync(
            new Fake(this, "api", "a", apply: null, "etcd@*"),
            new Fake(this, "etcd", "a", Meet),
            new Fake(this, "etcd", "b", Meet));

        Assert.True(report.Succeeded);
        Assert.Equal(3, report.Changed);
        Assert.Equal("verify api@a", _order[^1]);
    }

    [Fact]
    public async Task What_is_in_place_is_verified_and_not_applied()
    {
        var report = await RunAsync(new Fake(this, "etcd", "a") { InPlace = true });

        Assert.Equal(1, report.Unchanged);
        Assert.Equal(["check etcd@a", "verify etcd@a"], _order);
    }

    [Fact]
    public async Task A_failure_blocks_those_that_need_it_and_nobody_else()
    {
        var report = await RunAsync(
            new Fake(this, "etcd", "a", () => throw new ComponentException("disk full")),
            new Fake(this, "api", "a", apply: null, "etcd"),
            new Fake(this, "other", "a"));

        Assert.Equal("disk full", Assert.Single(report.Failures).Detail);
        Assert.Equal(StepState.Blocked, report.Results.Single(r => r.Step == "api").State);
        Assert.Equal("needs etcd on a", report.Results.Single(r => r.Step == "api").Detail);
        Assert.Equal(StepState.Changed, report.Results.Single(r => r.Step == "other").State);
    }

    [Fact]
    public void A_circle_and_a_missing_dependency_are_refused_when_the_graph_is_built()
    {
        Assert.Throws<InvalidOperationException>(() => new StepGraph([new Fake(this, "a", "", null, "b"), new Fake(this, "b", "", null, "a")]));
        Assert.Throws<InvalidOperationException>(() => new StepGraph([new Fake(this, "a", "", null, "nothing")]));
        var free = new Fake(this, "a", "", null, "nothing?");
        Assert.Empty(new StepGraph([free]).DependenciesOf(free));
    }

    [Fact]
    public void A_dependency_is_on_the_same_machine_where_there_is_one_and_on_all_otherwise()
    {
        var onA = new Fake(this, "etcd", "a");
        var onB = new Fake(this, "etcd", "b");
        var same = new Fake(this, "api", "a", null, "etcd");
        var elsewhere = new Fake(this, "lb", "c", null, "etcd");
        var graph = new StepGraph([onA, onB, same, elsewhere]);

        Assert.Equal([onA], graph.DependenciesOf(same));
        Assert.Equal([onA, onB], graph.DependenciesOf(elsewhere));
    }

    [Fact]
    public async Task A_wait_that_takes_too_long_says_what_was_seen_and_the_cause()
    {
        var context = new StepContext(_ => { }, TimeProvider.System);
        var error = await Assert.ThrowsAsync<ComponentException>(() => context.WaitAsync(
            "etcd", _ => Task.FromResult<string?>("connection refused"), TimeSpan.Zero, _ => Task.FromResult("the unit failed"), TestContext.Current.CancellationToken));

        Assert.Contains("etcd: not so after", error.Message, StringComparison.Ordinal);
        Assert.Contains("seen: connection refused; cause: the unit failed", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_result_tells_what_was_changed_and_what_was_seen()
    {
        var report = await RunAsync(new Fake(this, "a", ""), new Fake(this, "b", "") { InPlace = true });

        Assert.Equal("file /etc/a", Assert.Single(report.Results[0].Changes).ToString());
        Assert.Equal("a is seen", report.Results[0].Seen);
        Assert.Empty(report.Results[1].Changes);
    }

    [Fact]
    public async Task Some_steps_alone_need_nothing_of_the_others()
    {
        var whole = new StepGraph([new Fake(this, "key", "m"), new Fake(this, "etcd", "m", null, "key"), new Fake(this, "api", "m", null, "etcd")]);

        var report = await new StepRunner(whole.Only(s => s.Name != "etcd"), _ => { }, TimeProvider.System).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(["key", "api"], report.Results.Select(r => r.Step));
        Assert.True(report.Succeeded);
    }

    private static async Task<StepReport> RunAsync(params Step[] steps)
        => await new StepRunner(new StepGraph(steps), _ => { }, TimeProvider.System).RunAsync(TestContext.Current.CancellationToken);

    private sealed class Fake(StepRunnerTests test, string name, string machine, Func<Task>? apply = null, params string[] dependsOn)
        : Step(name, machine, dependsOn)
    {
        public bool InPlace { get; init; }

        public override string Explain => Name;

        public override string Expected => "";

        public override IReadOnlyList<StepItem> Contents => [];

        public override Task<StepCheck> CheckAsync(StepContext context, CancellationToken cancellation)
        {
            Note("check");
            return Task.FromResult(InPlace ? StepCheck.Good : StepCheck.Missing("", new StepItem("file", "/etc/" + Name, "")));
        }

        public override Task ApplyAsync(StepContext context, CancellationToken cancellation) => apply?.Invoke() ?? Task.CompletedTask;

        public override Task<string> VerifyAsync(StepContext context, CancellationToken cancellation)
        {
            Note("verify");
            return Task.FromResult($"{Name} is seen");
        }

        private void Note(string what)
        {
            lock (test._order)
            {
                test._order.Add($"{what} {Id}");
            }
        }
    }
}
