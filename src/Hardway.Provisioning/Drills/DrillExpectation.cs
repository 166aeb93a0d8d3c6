namespace Hardway.Provisioning.Drills;

/// <summary>
/// What must follow from a fault, computed from the live settings and nothing else. Times are seconds after the fault. A pure function: what it says can be read, and
/// tried without a cluster.
/// </summary>
internal sealed record DrillExpectation(IReadOnlyList<Milestone> Milestones, double Outage, string OutageBecause)
{
    /// <summary>Whether nothing helps but giving it back.</summary>
    public bool UntilMended { get; init; }

    public const string LastRenewal = "last renewal of the Lease";
    public const string Expires = "the Lease expires";
    public const string Acquired = "another holder has the Lease";
    public const string FirstAct = "first act of the new holder";
    public const string NewEtcdLeader = "etcd has another leader";
    public const string BackendDown = "the load balancer sees it down";
    public const string NodeNotReady = "the node is not Ready";
    public const string EndpointsUpdated = "the Service's endpoints are updated";

    /// <summary>Retry periods are stretched by up to this much, so that candidates do not march in step.</summary>
    private const double _jitter = 1.2;

    /// <summary>Seconds until a disk is full to the last byte.</summary>
    private const double _filling = 3;

    /// <summary>Seconds from power to a member of etcd that answers.</summary>
    private const double _boot = 20;

    /// <param name="component">What is taken away.</param>
    /// <param name="manner">How.</param>
    /// <param name="settings">Of the running cluster.</param>
    /// <param name="renewed">When the Lease was last renewed before the fault (negative); null for what is not elected.</param>
    /// <param name="hold">For how long it is away, where only mending it helps.</param>
    public static DrillExpectation Of(DrillComponent component, Manner manner, LiveSettings settings, double? renewed, double hold)
    {
        var milestones = new List<Milestone>();
        if (renewed is { } last)
        {
            Leader(milestones, manner, settings, last);
        }

        var election = 2 * settings.EtcdElection.TotalSeconds;
        var hasLeader = component.Name == "etcd-leader" || (component.Name == "server" && manner is not (Manner.Stop or Manner.ClockJump));
        if (hasLeader && settings.Members > 2)
        {
            // A member that stops in order hands the leadership over first.
            var late = manner switch { Manner.Stop => settings.EtcdElection.TotalSeconds, Manner.FullDisk => election + _filling, _ => election };
            milestones.Add(new Milestone(NewEtcdLeader, 0, late, manner == Manner.Stop ? "a leader that stops hands over" : $"election time-out {settings.EtcdElection.TotalSeconds:0.0} s, drawn anew up to twice as long", null));
        }

        var (down, because) = Down(component, manner, settings);
        if (down is { } latest)
        {
            milestones.Add(new Milestone(BackendDown, 0, latest, because, null));
        }

        var silent = manner is Manner.PowerOff or Manner.Cut or Manner.Reject || (manner is Manner.Stop or Manner.Freeze && component.Name is "kubelet") || (manner is Manner.Stop && component.Name is "containerd");
        if (component.Role == Machines.MachineRole.Node && silent)
        {
            var grace = settings.NodeGrace.TotalSeconds;
            var reason = $"no heartbeat for {grace:0} s (renewed every {settings.NodeLeaseRenewal.TotalSeconds:0} s), looked at every {settings.NodeMonitorPeriod.TotalSeconds:0} s";
            milestones.Add(new Milestone(NodeNotReady, grace - settings.NodeLeaseRenewal.TotalSeconds, grace + settings.NodeMonitorPeriod.TotalSeconds, reason, null));
            milestones.Add(new Milestone(EndpointsUpdated, grace - settings.NodeLeaseRenewal.TotalSeconds, grace + settings.NodeMonitorPeriod.TotalSeconds + 1, "Pods of a node that is not Ready are not ready", null));
        }

        var (outage, why) = OutageOf(component, manner, settings, election, down ?? 0, hold);
        return new DrillExpectation(milestones, outage, why) { UntilMended = manner is not (Manner.Kill or Manner.ClockJump) && (component.Name == "load-balancer" || LosesQuorum(component, settings)) };
    }

    private static void Leader(List<Milestone> milestones, Manner manner, LiveSettings settings, double last)
    {
        var retry = settings.RetryPeriod.TotalSeconds;
        var expires = manner == Manner.Stop ? 0 : last + settings.LeaseDuration.TotalSeconds;
        var settle = manner == Manner.Stop ? 1 : 0;
        milestones.Add(new Milestone(LastRenewal, -(retry * _jitter), 0, $"a holder renews every {retry:0} s", last));
        if (manner != Manner.Stop)
        {
            milestones.Add(new Milestone(Expires, expires, expires, $"{settings.LeaseDuration.TotalSeconds:0} s after the last renewal", expires));
        }

        var released = manner == Manner.Stop ? "a holder that stops in order gives the Lease back; " : "";
        milestones.Add(new Milestone(Acquired, expires, expires + settle + (retry * _jitter), $"{released}candidates look every {retry:0} s, stretched by up to {_jitter}", null));
        milestones.Add(new Milestone(FirstAct, expires, expires + settle + (retry * _jitter) + 1, "a new holder has its caches filled already", null));
    }

    private static (double? Latest, string Because) Down(DrillComponent component, Manner manner, LiveSettings settings)
    {
        if (component.Name is not ("api-server" or "server") || manner is Manner.Kill or Manner.FullDisk or Manner.ClockJump)
        {
            // Killed, it may be back before anybody has looked twice; without a place for its log, or with another time, it goes on.
            return (null, "");
        }

        return manner switch
        {
            Manner.Freeze => (settings.DownWhenSilent, $"{settings.Fall} checks without an answer in {settings.CheckTimeout.TotalSeconds:0.0} s"),
            Manner.PowerOff or Manner.Cut => (settings.DownWhenGone, $"{settings.Fall} checks that do not connect in {settings.ConnectTimeout.TotalSeconds:0.0} s"),
            // It says itself that it is not ready, once it has lost etcd's leader.
            Manner.Isolate => (settings.DownWhenSilent + (2 * settings.EtcdElection.TotalSeconds), $"{settings.Fall} checks of /readyz, which fails once etcd there has lost its leader"),
            _ => (settings.DownWhenRefused, $"{settings.Fall} checks that are refused"),
        };
    }

    private static bool LosesQuorum(DrillComponent component, LiveSettings settings)
        => component.Name is "etcd-leader" or "etcd-follower" or "server" && settings.Members - 1 < (settings.Members / 2) + 1;

    private static (double Outage, string Because) OutageOf(DrillComponent component, Manner manner, LiveSettings settings, double election, double down, double hold)
        => component.Name switch
        {
            "etcd-leader" or "etcd-follower" or "server" when manner != Manner.ClockJump && LosesQuorum(component, settings)
                => ((manner == Manner.Kill ? settings.RestartDelay.TotalSeconds : hold) + election + (manner == Manner.PowerOff ? _boot : 2), $"of {settings.Members} members of etcd {(settings.Members / 2) + 1} must agree on every write: until it is back"),
            _ when manner == Manner.ClockJump => (1, "elections, time-outs and Leases go by each program's own count of seconds; certificates and tokens bear ten minutes"),
            "api-server" when manner == Manner.FullDisk => (1, "its audit log cannot be written any more, and it goes on without"),
            "etcd-leader" when manner == Manner.FullDisk => (election + 1, "a member that cannot write its log ends at once rather than lie; another is elected"),
            "load-balancer" when manner != Manner.Kill => (hold + (manner == Manner.PowerOff ? _boot : 3), "there is one load balancer: until it is back"),
            "load-balancer" => (settings.RestartDelay.TotalSeconds + 1, "until systemd has started it again"),
            "api-server" when manner is Manner.Stop or Manner.Kill => (1, "connections are closed, and a refused connection goes to another server at once"),
            "api-server" or "server" => (
                Math.Max(down, component.Name == "server" ? election : 0) + DrillClients.Patience.TotalSeconds,
                $"until the load balancer gives it up and closes its connections, and a client that was waiting has waited its {DrillClients.Patience.TotalSeconds:0} s"),
            "etcd-leader" when manner == Manner.Stop => (1, "the leadership is handed over"),
            "etcd-leader" when manner == Manner.Kill => (election + 1, "until another member is elected"),
            "etcd-leader" or "etcd-follower" when manner is Manner.Freeze or Manner.Isolate
                => (Math.Max(election, settings.DownWhenSilent + election), "until its API server is given up: that one asks the member beside it"),
            "etcd-follower" => (1, "API servers turn to another member"),
            _ => (0.5, "the API does not depend on it"),
        };
}
