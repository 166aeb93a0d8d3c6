using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class ForwardingOff() : MachineFault("forwarding-off", "a node does not forward packets")
{
    public override string Lesson =>
        "A node is the router of its Pods. With ip_forward 0 the kernel drops what is not for itself: Pods of that node talk to each other by the bridge and to nobody else. Something set it after the boot, or a file in /etc/sysctl.d does so at each boot.";

    public override IReadOnlyList<string> Hints =>
    [
        "Pods of one node have trouble; the node itself has none.",
        "Think of what the kernel of a node must do for Pods.",
        "sysctl net.ipv4.ip_forward",
    ];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.Nodes.Where(f => f.Facts.Text("forward") == "0").Select(f => Found(
        f.Machine, $"/proc/sys/net/ipv4/ip_forward of {f.Machine} is 0", $"hardway step run node-network@{f.Machine}; then look in /etc/sysctl.d for what sets it to 0"));

    protected override Machine Target(MachineDatabase machines) => machines.Nodes[^1];

    protected override string PutIn(ClusterModel cluster) => "echo 0 >/proc/sys/net/ipv4/ip_forward";

    protected override string TakeOut(ClusterModel cluster) => "echo 1 >/proc/sys/net/ipv4/ip_forward";
}
