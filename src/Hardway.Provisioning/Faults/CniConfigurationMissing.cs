using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class CniConfigurationMissing() : MachineFault("cni-configuration-missing", "containerd has no CNI configuration for Pods")
{
    public override string Lesson =>
        "containerd reads the first configuration in /etc/cni/net.d. Without one it reports that its network is not ready, the kubelet passes that on, and the node is NotReady. Pods that run go on; new ones wait.";

    public override IReadOnlyList<string> Hints =>
    [
        "A node becomes NotReady, and says why.",
        "kubectl describe node: the message of the condition Ready.",
        "ls /etc/cni/net.d",
    ];

    public override IReadOnlyList<string> Explains => ["wrong-pod-subnet"];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.Nodes.Where(f => f.Facts.Text("cni").Length == 0).Select(f => Found(
        f.Machine, $"no file in /etc/cni/net.d of {f.Machine} configures a bridge for Pods", $"hardway step run containerd@{f.Machine}"));

    protected override IReadOnlyList<string> Keeps => ["/etc/cni/net.d/10-bridge.conflist"];

    protected override Machine Target(MachineDatabase machines) => machines.Nodes[^1];

    protected override string PutIn(ClusterModel cluster) => "rm -f /etc/cni/net.d/10-bridge.conflist\nsystemctl restart containerd kubelet";

    protected override string TakeOut(ClusterModel cluster) => "systemctl restart --no-block containerd kubelet";
}
