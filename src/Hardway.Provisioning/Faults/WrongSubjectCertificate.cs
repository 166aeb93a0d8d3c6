using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class WrongSubjectCertificate() : MachineFault("wrong-subject-certificate", "a kubelet calls itself by another node's name")
{
    public override string Lesson =>
        "A kubelet is what its client certificate says: system:node:NAME in the group system:nodes. With another node's certificate it may read that node's Pods and Secrets and not its own, and the Node authorizer refuses it to write its own node: the node turns Unknown while the kubelet runs.";

    public override IReadOnlyList<string> Hints =>
    [
        "A node turns NotReady though its kubelet runs.",
        "What does the kubelet's log say of its own node?",
        "Read the subject of the client certificate in /var/lib/kubelet/kubeconfig.",
    ];

    public override string? Obstacle(MachineDatabase machines, bool sharedKernel) => machines.Nodes.Count < 2 ? "there is one node only" : null;

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.Nodes.SelectMany(f => KubeletUser.Read(f.Facts.Text("kubelet-user")) is { } user && user != $"system:node:{f.Machine.HostName}"
        ? (IEnumerable<Diagnosis>)[Found(f.Machine, $"the kubelet of {f.Machine} logs in as {user}; it must be system:node:{f.Machine}", $"hardway step run kubelet@{f.Machine}")]
        : []);

    protected override IReadOnlyList<string> Keeps => ["/var/lib/kubelet/kubeconfig"];

    protected override Machine Target(MachineDatabase machines) => machines.Nodes[^1];

    protected override string PutIn(ClusterModel cluster) => "systemctl restart kubelet";

    protected override string TakeOut(ClusterModel cluster) => "systemctl restart --no-block kubelet";

    protected override IReadOnlyList<(string Path, string Text, string Mode)> Files(ClusterModel cluster)
        => [("/var/lib/kubelet/kubeconfig", cluster.KubeconfigOf(cluster.Machines.Nodes[0].HostName), "600")];
}
