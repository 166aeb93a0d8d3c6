using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class MtuMismatch() : MachineFault("mtu-mismatch", "a machine's network card takes smaller packets than the others")
{
    public override string Lesson =>
        "Small packets pass, so ping, DNS and handshakes work; large ones are dropped where the sender may not cut them, so a transfer begins and hangs. All cards of one network must have the same MTU, and an overlay's must be smaller than its carrier's.";

    public override IReadOnlyList<string> Hints =>
    [
        "Small things work, large ones hang.",
        "ping -M do -s 1472 between all machines.",
        "ip link, on every machine.",
    ];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => Majority.Minority(examination.All, f => f.Text("mtu")).Where(m => examination.Facts[m].Text("mtu").Length > 0).Select(m => Found(
        m, $"the MTU of {m} is {examination.Facts[m].Text("mtu")}, the others' is {examination.All.Select(f => f.Facts.Text("mtu")).GroupBy(t => t).MaxBy(g => g.Count())!.Key}", $"on {m}: ip link set dev eth0 mtu as the others', and where its network is configured"));

    protected override Machine Target(MachineDatabase machines) => machines.Nodes[^1];

    protected override string PutIn(ClusterModel cluster) => $"ip link set dev $(ip -4 -o route get {cluster.Machines.Endpoint.Address} | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p') mtu 1400";

    protected override string TakeOut(ClusterModel cluster) => $"ip link set dev $(ip -4 -o route get {cluster.Machines.Endpoint.Address} | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p') mtu 1500";
}
