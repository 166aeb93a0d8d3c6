using System.Globalization;
using System.Text.RegularExpressions;
using Hardway.Provisioning.Api;
using Hardway.Provisioning.Doctor;

namespace Hardway.Provisioning.Drills;

/// <summary>The settings that decide how long everything takes, read from the running cluster: Leases, units' flags, HAProxy's file; what nobody set has its known default.</summary>
internal sealed partial record LiveSettings
{
    public required TimeSpan LeaseDuration { get; init; }

    /// <summary>How often a holder renews and a candidate looks (leaderElection.retryPeriod), before jitter.</summary>
    public TimeSpan RetryPeriod { get; init; } = TimeSpan.FromSeconds(2);

    public TimeSpan EtcdElection { get; init; } = TimeSpan.FromMilliseconds(1000);

    /// <summary>Voting members of etcd.</summary>
    public int Members { get; init; } = 3;

    public TimeSpan NodeGrace { get; init; } = TimeSpan.FromSeconds(50);

    public TimeSpan NodeLeaseRenewal { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan NodeMonitorPeriod { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan RestartDelay { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan CheckInterval { get; init; }

    public TimeSpan CheckFastInterval { get; init; }

    public TimeSpan CheckTimeout { get; init; }

    public TimeSpan ConnectTimeout { get; init; }

    public int Fall { get; init; } = 3;

    /// <summary>Until HAProxy gives up a server that does not answer: an interval, then as many time-outs as it takes.</summary>
    public double DownWhenSilent => CheckInterval.TotalSeconds + (Fall * CheckTimeout.TotalSeconds) + ((Fall - 1) * CheckFastInterval.TotalSeconds);

    /// <summary>The same for one that refuses.</summary>
    public double DownWhenRefused => CheckInterval.TotalSeconds + ((Fall - 1) * CheckFastInterval.TotalSeconds);

    /// <summary>The same for one whose machine is gone: connecting takes its time-out.</summary>
    public double DownWhenGone => CheckInterval.TotalSeconds + (Fall * Math.Min(ConnectTimeout.TotalSeconds, CheckTimeout.TotalSeconds)) + ((Fall - 1) * CheckFastInterval.TotalSeconds);

    public static async Task<LiveSettings> ReadAsync(ClusterModel cluster, ApiConnection api, CancellationToken cancellation)
    {
        var server = cluster.Machines.Servers[0];
        var answer = await cluster.SshTo(server).RunAsync("drill", MachineQuestions.Render(cluster, server), cancellation).ConfigureAwait(false);
        var units = MachineFacts.Parse(answer.Output, TimeSpan.Zero).Units;
        var manager = units.GetValueOrDefault("kube-controller-manager");
        var etcd = units.GetValueOrDefault("etcd");
        var lease = await LeaseState.ReadAsync(api, "kube-scheduler", cancellation).ConfigureAwait(false);
        var balancer = cluster.Machines.LoadBalancer is { } lb
            ? (await cluster.SshTo(lb).RunAsync("drill", "cat /etc/haproxy/haproxy.cfg", cancellation).ConfigureAwait(false)).Output
            : "";
        return new LiveSettings
        {
            Members = (await ControlPlane.EtcdStatus.ReadAsync(cluster, cancellation).ConfigureAwait(false)).Voters.Count,
            LeaseDuration = lease?.Duration ?? TimeSpan.FromSeconds(15),
            RetryPeriod = Duration(manager?.Flag("--leader-elect-retry-period"), 2),
            EtcdElection = TimeSpan.FromMilliseconds(double.TryParse(etcd?.Flag("--election-timeout"), CultureInfo.InvariantCulture, out var ms) ? ms : 1000),
            NodeGrace = Duration(manager?.Flag("--node-monitor-grace-period"), 50),
            NodeMonitorPeriod = Duration(manager?.Flag("--node-monitor-period"), 5),
            CheckInterval = Of(balancer, @"\binter (\S+)", 2),
            CheckFastInterval = Of(balancer, @"\bfastinter (\S+)", 2),
            CheckTimeout = Of(balancer, @"timeout check (\S+)", 2),
            ConnectTimeout = Of(balancer, @"timeout connect (\S+)", 5),
            Fall = int.TryParse(Regex.Match(balancer, @"\bfall (\d+)").Groups[1].Value, out var fall) ? fall : 3,
        };
    }

    private static TimeSpan Of(string text, string pattern, double seconds) => Duration(Regex.Match(text, pattern) is { Success: true } m ? m.Groups[1].Value : null, seconds);

    /// <summary>"700ms", "1s", "40s", "1m0s"; HAProxy's bare numbers are milliseconds.</summary>
    internal static TimeSpan Duration(string? text, double seconds)
    {
        if (string.IsNullOrEmpty(text))
        {
            return TimeSpan.FromSeconds(seconds);
        }

        if (double.TryParse(text, CultureInfo.InvariantCulture, out var bare))
        {
            return TimeSpan.FromMilliseconds(bare);
        }

        return Part().Matches(text).Aggregate(TimeSpan.Zero, (sum, part) =>
        {
            var value = double.Parse(part.Groups[1].Value, CultureInfo.InvariantCulture);
            return sum + part.Groups[2].Value switch { "ms" => TimeSpan.FromMilliseconds(value), "s" => TimeSpan.FromSeconds(value), "m" => TimeSpan.FromMinutes(value), _ => TimeSpan.FromHours(value) };
        });
    }

    [GeneratedRegex(@"([0-9.]+)(ms|s|m|h)")]
    private static partial Regex Part();
}
