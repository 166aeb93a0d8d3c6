using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class WrongPodSubnet() : MachineFault("wrong-pod-subnet", "a node gives its Pods addresses of another node's subnet")
{
    public override string Lesson =>
        "Routes lead a subnet to one machine. Pods with addresses of another node's subnet can send, and every answer goes to the other node: connections hang, and two Pods may have the same address.";

    public override IReadOnlyList<string> Hints =>
    [
        "New Pods of one node reach nobody beyond their node.",
        "What addresses do they have?",
        "Compare the subnet in /etc/cni/net.d with the machine database.",
    ];

    public override string? Obstacle(MachineDatabase machines, bool sharedKernel) => machines.Nodes.Count < 2 ? "there is one node only" : null;

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.Nodes.Where(f => f.Facts.Lines("cni-subnet") is { Count: > 0 } subnets && !subnets.Contains(f.Machine.PodSubnet.ToString()!)).Select(f => Found(
        f.Machine, $"CNI on {f.Machine} hands out {f.Facts.Lines("cni-subnet")[0]}; the routes of the others say {f.Machine.PodSubnet}", $"hardway step run containerd@{f.Machine}, then delete the Pods that were made meanwhile"));

    protected override IReadOnlyList<string> Keeps => ["/etc/cni/net.d/10-bridge.conflist"];

    protected override Machine Target(MachineDatabase machines) => machines.Nodes[0];

    protected override string PutIn(ClusterModel cluster) => $"sed -i 's#{cluster.Machines.Nodes[0].PodSubnet}#{cluster.Machines.Nodes[^1].PodSubnet}#' /etc/cni/net.d/10-bridge.conflist";

    protected override string TakeOut(ClusterModel cluster) => "true";
}
