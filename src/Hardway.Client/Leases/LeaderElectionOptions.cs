using Hardway.Hosting;

namespace Hardway.Client;

/// <summary>Leader election as upstream's flags and configuration files give it.</summary>
public sealed class LeaderElectionOptions
{
    public bool LeaderElect { get; set; } = true;
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(15);
    public TimeSpan RenewDeadline { get; set; } = TimeSpan.FromSeconds(10);
    public TimeSpan RetryPeriod { get; set; } = TimeSpan.FromSeconds(2);
    public string ResourceLock { get; set; } = "leases";
    public string ResourceNamespace { get; set; } = "kube-system";
    public string ResourceName { get; set; } = "";

    public void AddFlags(FlagSet flags)
    {
        flags.Bool("leader-elect", "work only while holding the Lease", v => LeaderElect = v, LeaderElect);
        flags.Duration("leader-elect-lease-duration", "how long a standby waits after the last renewal it saw", v => LeaseDuration = v, LeaseDuration);
        flags.Duration("leader-elect-renew-deadline", "how long the leader tries to renew before it stops working", v => RenewDeadline = v, RenewDeadline);
        flags.Duration("leader-elect-retry-period", "time between tries", v => RetryPeriod = v, RetryPeriod);
        flags.Custom("leader-elect-resource-lock", "string", "kind of the lock: leases", v => v == "leases" ? null : "is not a kind of lock: only leases", ResourceLock);
        flags.String("leader-elect-resource-name", "name of the Lease", v => ResourceName = v, ResourceName);
        flags.String("leader-elect-resource-namespace", "namespace of the Lease", v => ResourceNamespace = v, ResourceNamespace);
    }

    /// <summary>Null when the three times fit each other, otherwise what is wrong.</summary>
    public string? Validate()
    {
        if (RetryPeriod <= TimeSpan.Zero || LeaseDuration < TimeSpan.FromSeconds(1)) return "leader election: durations must be positive, the lease at least 1s";
        if (LeaseDuration <= RenewDeadline) return $"leader election: the lease duration ({GoDuration.Format(LeaseDuration)}) must be longer than the renew deadline ({GoDuration.Format(RenewDeadline)})";
        if (RenewDeadline <= RetryPeriod * 1.2) return $"leader election: the renew deadline ({GoDuration.Format(RenewDeadline)}) must be longer than 1.2 retry periods ({GoDuration.Format(RetryPeriod)})";
        return null;
    }
}
