using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class StaleHostsLine() : MachineFault("stale-hosts-line", "a hosts file leads a machine's name to an old address")
{
    public override string Lesson =>
        "The first line that has the name wins. A line from before a move, above ours, sends this machine alone to an address where nobody is: it cannot register, renew or fetch, and everybody else can.";

    public override IReadOnlyList<string> Hints =>
    [
        "One machine does not find another.",
        "getent hosts, for every name, on every machine.",
        "Look above the block in /etc/hosts.",
    ];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.All.SelectMany(f => f.Facts.Lines("hosts").Select(l => l.Split('#')[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).Where(w => w.Length > 1)
        .SelectMany(w => w.Skip(1).Select(n => (Name: n, Address: w[0], Machine: n == examination.Cluster.EndpointName ? examination.Machines.Endpoint : examination.Machines.Find(n))))
        .Where(n => n.Machine is not null && n.Address != n.Machine.Address.ToString())
        .Select(n => Found(f.Machine, $"/etc/hosts of {f.Machine} has {n.Address} {n.Name}; {n.Name} is {n.Machine!.Address}", $"on {f.Machine}: remove that line from /etc/hosts")));

    protected override IReadOnlyList<string> Keeps => ["/etc/hosts"];

    protected override Machine Target(MachineDatabase machines) => machines.Nodes[0];

    protected override string PutIn(ClusterModel cluster) => $"sed -i '1i 192.0.2.9 {cluster.EndpointName} {cluster.Machines.Servers[0].HostName}' /etc/hosts";

    protected override string TakeOut(ClusterModel cluster) => "true";
}
