using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class BridgeNetfilterOff() : MachineFault("bridge-nf-off", "packets over a node's bridge pass by the packet filter")
{
    public override string Lesson =>
        "Two Pods of one node talk over the bridge, below the packet filter, unless bridge-nf-call-iptables is 1. Then the answer of a Service whose Pod is on the same node comes from the Pod's own address, and the client drops it.";

    public override IReadOnlyList<string> Hints =>
    [
        "A Service works from other nodes, and not for a Pod beside its only endpoint.",
        "Think of what the kernel of a node must do for Pods.",
        "sysctl net.bridge.bridge-nf-call-iptables",
    ];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.Nodes.Where(f => f.Facts.Text("bridge-nf") == "0").Select(f => Found(
        f.Machine, $"/proc/sys/net/bridge/bridge-nf-call-iptables of {f.Machine} is 0", $"hardway step run node-network@{f.Machine}; then look in /etc/sysctl.d for what sets it to 0"));

    protected override Machine Target(MachineDatabase machines) => machines.Nodes[^1];

    protected override string PutIn(ClusterModel cluster) => "echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables";

    protected override string TakeOut(ClusterModel cluster) => "echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables";
}
