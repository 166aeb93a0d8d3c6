using Hardway.Hosting;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Drills;

/// <summary>How something is taken away.</summary>
public enum Manner
{
    /// <summary>systemctl stop: it may say goodbye.</summary>
    Stop,

    /// <summary>SIGKILL: no goodbye; systemd starts it again after its RestartSec.</summary>
    Kill,

    /// <summary>SIGSTOP: it lives, holds its connections, and does nothing.</summary>
    Freeze,

    /// <summary>The plug is pulled.</summary>
    PowerOff,

    /// <summary>Its network says that it is gone: peers get a refusal at once.</summary>
    Reject,

    /// <summary>Its network is silent: peers must find out by themselves.</summary>
    Cut,

    /// <summary>Cut off from the other servers and reachable for clients: a leader in a minority.</summary>
    Isolate,

    /// <summary>Not a byte more can be written where it keeps what it must write.</summary>
    FullDisk,

    /// <summary>The machine's clock jumps ten minutes ahead.</summary>
    ClockJump,
}

/// <summary>What a drill takes away: a component, the unit that it is, or, without one, a machine.</summary>
public sealed record DrillComponent(string Name, MachineRole Role, string? Unit, string What, IReadOnlyList<Manner> Manners)
{
    private static readonly IReadOnlyList<Manner> _program = [Manner.Stop, Manner.Kill, Manner.Freeze];
    private static readonly IReadOnlyList<Manner> _machine = [Manner.PowerOff, Manner.Reject, Manner.Cut];

    public static IReadOnlyList<DrillComponent> All { get; } =
    [
        new("scheduler-leader", MachineRole.Server, "kube-scheduler", "the scheduler that holds the Lease", _program),
        new("controller-manager-leader", MachineRole.Server, "kube-controller-manager", "the controller manager that holds the Lease", _program),
        new("etcd-leader", MachineRole.Server, "etcd", "the member that leads etcd", [.. _program, Manner.Isolate, Manner.FullDisk]),
        new("etcd-follower", MachineRole.Server, "etcd", "a member of etcd that follows", [.. _program, Manner.FullDisk]),
        new("api-server", MachineRole.Server, "kube-apiserver", "the API server that has most of the load balancer's connections", [.. _program, Manner.FullDisk]),
        new("server", MachineRole.Server, null, "a whole server, the one that leads etcd", [.. _machine, Manner.Isolate, Manner.ClockJump]),
        new("load-balancer", MachineRole.LoadBalancer, "haproxy", "the load balancer", [.. _program, Manner.PowerOff]),
        new("worker", MachineRole.Node, null, "a whole node", [.. _machine, Manner.ClockJump]),
        new("containerd", MachineRole.Node, "containerd", "containerd of a node", _program),
        new("kubelet", MachineRole.Node, "kubelet", "the kubelet of a node", _program),
        new("kube-proxy", MachineRole.Node, "kube-proxy", "kube-proxy of a node", _program),
    ];

    public static DrillComponent Find(string name) => All.FirstOrDefault(c => c.Name == name)
        ?? throw new ComponentException($"there is no component '{name}' to drill; there are {string.Join(", ", All.Select(c => c.Name))}");

    /// <summary>The Lease that it holds; null when it is not elected.</summary>
    public string? Lease => Name is "scheduler-leader" or "controller-manager-leader" ? Unit : null;

    /// <summary>Reads "kill", "power-off".</summary>
    public static Manner MannerOf(string text) => Enum.TryParse<Manner>(text.Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out var manner) && !int.TryParse(text, out _)
        ? manner
        : throw new ComponentException($"there is no manner '{text}'; there are {string.Join(", ", Enum.GetValues<Manner>().Select(Word))}");

    public static string Word(Manner manner) => string.Concat(manner.ToString().Select((c, i) => char.IsUpper(c) ? $"{(i > 0 ? "-" : "")}{char.ToLowerInvariant(c)}" : $"{c}"));
}

/// <summary>Pulls plugs and puts them back; real machines have nobody who does.</summary>
public interface IPower
{
    Task OffAsync(string machine, CancellationToken cancellation);

    Task OnAsync(string machine, CancellationToken cancellation);
}
