using Hardway.Provisioning.Drills;

namespace Hardway.Provisioning.Tests;

public class DrillTests
{
    private static readonly LiveSettings _settings = new()
    {
        LeaseDuration = TimeSpan.FromSeconds(15),
        CheckInterval = TimeSpan.FromSeconds(1),
        CheckFastInterval = TimeSpan.FromSeconds(0.5),
        CheckTimeout = TimeSpan.FromSeconds(1.5),
        ConnectTimeout = TimeSpan.FromSeconds(0.7),
        Fall = 2,
    };

    [Fact]
    public void A_leader_that_is_killed_is_followed_when_its_lease_has_run_out()
    {
        var expected = DrillExpectation.Of(DrillComponent.Find("scheduler-leader"), Manner.Kill, _settings, renewed: -1.5, hold: 6);

        var acquired = expected.Milestones.Single(m => m.Name == DrillExpectation.Acquired);
        Assert.Equal(13.5, acquired.Earliest);
        Assert.Equal(15.9, acquired.Latest!.Value, 3);
        Assert.Equal(0.5, expected.Outage);
    }

    [Fact]
    public void A_leader_that_stops_in_order_is_followed_at_once()
    {
        var expected = DrillExpectation.Of(DrillComponent.Find("controller-manager-leader"), Manner.Stop, _settings, renewed: -0.5, hold: 6);

        Assert.True(expected.Milestones.Single(m => m.Name == DrillExpectation.Acquired).Latest < 4);
    }

    [Fact]
    public void A_server_that_loses_its_power_is_given_up_within_three_seconds_by_the_load_balancers_settings()
    {
        var down = DrillExpectation.Of(DrillComponent.Find("server"), Manner.PowerOff, _settings, null, 6).Milestones.Single(m => m.Name == DrillExpectation.BackendDown);

        Assert.Equal(1 + (2 * 0.7) + 0.5, down.Latest!.Value, 3);
    }

    [Fact]
    public void A_clients_outage_is_the_longest_time_between_two_successes_after_the_fault()
    {
        var report = DrillClients.Report("writes", [new(-1, -0.9, null), new(-0.2, -0.1, null), new(0.1, 2.1, "no answer"), new(2.2, 2.3, null), new(2.4, 2.5, null)]);

        Assert.Equal(2.3, report.Outage, 3);
        Assert.Equal(1, report.Failures);
        Assert.Equal("no answer", report.FirstError);
    }

    /// <summary>What was noted before the fault must not look as if it came after it.</summary>
    [Fact]
    public void A_clock_counts_from_the_fault_and_before_it_nothing_is_after_it()
    {
        var time = new StoppedTime();
        var clock = new DrillClock(time);
        time.Seconds = 7;
        Assert.True(clock.Now < 0);
        Assert.Equal(7, clock.SinceStart);

        clock.Zero();
        time.Seconds = 9;

        Assert.Equal(2, clock.Now);
        Assert.Equal(7, clock.ZeroAt);
    }

    [Fact]
    public void What_only_its_return_mends_is_held_no_longer_than_the_drill_holds_it()
    {
        Assert.True(DrillExpectation.Of(DrillComponent.Find("load-balancer"), Manner.Stop, _settings, null, 6).UntilMended);
        Assert.False(DrillExpectation.Of(DrillComponent.Find("etcd-leader"), Manner.Stop, _settings, null, 6).UntilMended);

        var two = DrillExpectation.Of(DrillComponent.Find("server"), Manner.PowerOff, _settings with { Members = 2 }, null, 6);
        Assert.True(two.UntilMended);
        Assert.Contains("of 2 members of etcd 2 must agree on every write", two.OutageBecause, StringComparison.Ordinal);
        Assert.DoesNotContain(two.Milestones, m => m.Name == DrillExpectation.NewEtcdLeader);
    }

    private sealed class StoppedTime : TimeProvider
    {
        public double Seconds { get; set; }

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => (long)(Seconds * 1000);
    }

    [Fact]
    public void A_client_that_never_succeeds_again_is_out_until_the_end()
        => Assert.Equal(9, DrillClients.Report("writes", [new(-0.2, -0.1, null), new(1, 3, "no"), new(4, 9, "no")]).Outage);

    [Fact]
    public void A_leader_that_cannot_write_its_log_is_followed_within_an_election_and_a_jumping_clock_stops_nobody()
    {
        var full = DrillExpectation.Of(DrillComponent.Find("etcd-leader"), Manner.FullDisk, _settings, null, 6);
        Assert.Equal(5, full.Milestones.Single(m => m.Name == DrillExpectation.NewEtcdLeader).Latest);
        Assert.Equal(3, full.Outage);

        var jump = DrillExpectation.Of(DrillComponent.Find("server"), Manner.ClockJump, _settings, null, 6);
        Assert.Empty(jump.Milestones);
        Assert.Equal(1, jump.Outage);
    }

    [Fact]
    public void A_clock_jumps_only_where_a_machine_has_one_of_its_own()
    {
        var machines = Machines.MachineDatabase.Parse(MachineDatabaseTests.Tutorial);
        Assert.Contains("one of their own", DrillFault.Obstacle(machines, DrillComponent.Find("worker"), Manner.ClockJump, hasPower: true, sharedKernel: true), StringComparison.Ordinal);
        Assert.Null(DrillFault.Obstacle(machines, DrillComponent.Find("worker"), Manner.ClockJump, hasPower: true, sharedKernel: false));
    }

    [Theory]
    [InlineData(Manner.PowerOff, "power-off")]
    [InlineData(Manner.FullDisk, "full-disk")]
    [InlineData(Manner.Kill, "kill")]
    public void A_manner_is_written_and_read_as_people_write_it(Manner manner, string word)
    {
        Assert.Equal(word, DrillComponent.Word(manner));
        Assert.Equal(manner, DrillComponent.MannerOf(word));
    }

    [Theory]
    [InlineData("700ms", 0.7)]
    [InlineData("1m30s", 90)]
    [InlineData("1500", 1.5)]
    [InlineData(null, 5)]
    public void Durations_are_read_as_go_and_haproxy_write_them(string? text, double seconds) => Assert.Equal(seconds, LiveSettings.Duration(text, 5).TotalSeconds, 3);

    [Fact]
    public void A_report_becomes_lines_and_a_page_that_needs_nothing_else()
    {
        var report = new DrillReport("scheduler-leader", Manner.Kill, "server-1", [new Milestone(DrillExpectation.Acquired, 13, 15, "because", 14.2)],
            [new ClientReport("writes", 10, 1, 0.4, 2, "an <error>")], 0.5, "nothing needs it", [new Proof("no acknowledged write is lost", true, "10 of 10")]);

        Assert.Contains(DrillText.Lines(report), l => l.Contains("14.2", StringComparison.Ordinal) && l.Contains("as expected", StringComparison.Ordinal));
        Assert.Contains(DrillText.Matrix([report]), l => l.StartsWith("scheduler-leader", StringComparison.Ordinal) && l.Contains("0.4 (0.5)", StringComparison.Ordinal));
        var page = DrillSvg.Page([report], [(DrillComponent.Find("worker"), Manner.ClockJump, "no clock of its own")]);
        Assert.DoesNotContain("http://", page.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("<svg", page, StringComparison.Ordinal);
        Assert.Contains(">not here</text>", page, StringComparison.Ordinal);
        Assert.Contains("not here: worker by clock-jump: no clock of its own", page, StringComparison.Ordinal);
    }
}
