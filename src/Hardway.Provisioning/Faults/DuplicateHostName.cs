using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class DuplicateHostName() : MachineFault("duplicate-host-name", "two machines have the same host name")
{
    public override string Lesson =>
        "A kubelet registers its node by the host name, and a leader election knows its candidates by it. After the next restart two kubelets fight for one node object, and one machine's node is gone.";

    public override IReadOnlyList<string> Hints =>
    [
        "It will show at the next restart.",
        "Ask every machine who it is.",
        "hostname, on all of them.",
    ];

    public override string? Obstacle(MachineDatabase machines, bool sharedKernel) => machines.Nodes.Count < 2 ? "there is one node only" : null;

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.All.Where(f => f.Facts.Text("hostname") is { Length: > 0 } name && name != f.Machine.HostName).Select(f => Found(
        f.Machine, $"{f.Machine.Address} calls itself {f.Facts.Text("hostname")}{(examination.Machines.Find(f.Facts.Text("hostname")) is { } other ? $", as {other.Address} does" : "")}; it is {f.Machine}", $"hardway step run host-names@{f.Machine}"));

    protected override Machine Target(MachineDatabase machines) => machines.Nodes[^1];

    protected override string PutIn(ClusterModel cluster) => $"hostname {cluster.Machines.Nodes[0].HostName}";

    protected override string TakeOut(ClusterModel cluster) => $"hostname {cluster.Machines.Nodes[^1].HostName}";
}
