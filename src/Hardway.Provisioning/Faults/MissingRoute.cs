using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class MissingRoute() : MachineFault("missing-route", "a machine has no route to a node's Pod subnet")
{
    public override string Lesson =>
        "Nothing tells the kernel where other nodes' Pods are but these routes. Without one, packets go to the default gateway and are lost there; on a server, logs and exec go on (they use the node's address) while webhooks and aggregated APIs fail.";

    public override IReadOnlyList<string> Hints =>
    [
        "Some Pods do not reach some other Pods.",
        "It depends on the node they are on.",
        "ip route on every machine, against the machine database.",
    ];

    public override string? Obstacle(MachineDatabase machines, bool sharedKernel) => machines.Nodes.Count < 2 ? "there is one node only" : null;

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.All.SelectMany(f => examination.Machines.Machines.Where(m => m != f.Machine && m.PodSubnet is not null
            && !f.Facts.Text("routes").Contains($"{m.PodSubnet} via {m.Address} ", StringComparison.Ordinal))
        .Select(m => Found(f.Machine, $"{f.Machine} has no route {m.PodSubnet} via {m.Address} ({m})", $"hardway step run pod-routes@{f.Machine}")));

    protected override Machine Target(MachineDatabase machines) => machines.Nodes[0];

    protected override string PutIn(ClusterModel cluster) => $"ip route del {cluster.Machines.Nodes[^1].PodSubnet}";

    protected override string TakeOut(ClusterModel cluster) => $"ip route replace {cluster.Machines.Nodes[^1].PodSubnet} via {cluster.Machines.Nodes[^1].Address}";
}
