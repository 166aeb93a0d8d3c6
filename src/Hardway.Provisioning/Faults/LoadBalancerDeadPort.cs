using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class LoadBalancerDeadPort() : MachineFault("load-balancer-dead-port", "the load balancer sends to a port where no API server listens")
{
    public override string Lesson =>
        "The backend is down to HAProxy and nobody notices: the others serve. Then one of them fails, and two of three are gone. A load balancer's own view of its backends belongs to every check.";

    public override IReadOnlyList<string> Hints =>
    [
        "All is well, and less of it than you think.",
        "Ask the load balancer.",
        "grep server /etc/haproxy/haproxy.cfg",
    ];

    public override string? Obstacle(MachineDatabase machines, bool sharedKernel) => machines.LoadBalancer is null ? "there is no load balancer" : null;

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.All.SelectMany(f => f.Facts.Lines("haproxy").Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(w => w is ["server", _, _, ..]
            && examination.Machines.Servers.FirstOrDefault(s => s.HostName == w[1]) is { } server && w[2] != $"{server.Address}:{ClusterAddresses.ApiPort}")
        .Select(w => Found(
            f.Machine,
            $"haproxy.cfg sends {w[1]} to {w[2]}; its API server listens on port {ClusterAddresses.ApiPort}{(examination.Backends.FirstOrDefault(b => b.Name == w[1]) is { } backend ? $". HAProxy says {backend.Status} ({backend.Check})" : "")}",
            $"hardway step run haproxy@{f.Machine}")));

    protected override IReadOnlyList<string> Keeps => ["/etc/haproxy/haproxy.cfg"];

    protected override Machine Target(MachineDatabase machines) => machines.LoadBalancer!;

    protected override string PutIn(ClusterModel cluster) => $"sed -i 's#{cluster.Machines.Servers[^1].Address}:{ClusterAddresses.ApiPort}#{cluster.Machines.Servers[^1].Address}:6444#' /etc/haproxy/haproxy.cfg\nsystemctl restart haproxy";

    protected override string TakeOut(ClusterModel cluster) => "systemctl restart haproxy";
}
