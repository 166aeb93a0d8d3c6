using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class WrongKubeletAuthority() : MachineFault("wrong-kubelet-authority", "a kubelet trusts another authority for its clients")
{
    public override string Lesson =>
        "The kubelet believes client certificates that its clientCAFile signed. With another authority there, an API server is a stranger to it: logs, exec and port-forward to that node's Pods are Unauthorized, while the node is Ready and Pods run, since the kubelet calls the API and not the other way.";

    public override IReadOnlyList<string> Hints =>
    [
        "kubectl logs is Unauthorized for some Pods.",
        "The node itself is Ready.",
        "Compare /var/lib/kubelet/ca.crt with the cluster's ca.crt.",
    ];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.Nodes.Where(f => f.Facts.Text("kubelet-ca") != examination.Cluster.Certificate("ca").TrimEnd('\n')).Select(f => Found(
        f.Machine, $"/var/lib/kubelet/ca.crt of {f.Machine} is not the cluster's authority", $"hardway step run kubelet@{f.Machine}"));

    protected override IReadOnlyList<string> Keeps => ["/var/lib/kubelet/ca.crt"];

    protected override Machine Target(MachineDatabase machines) => machines.Nodes[^1];

    protected override string PutIn(ClusterModel cluster) => "systemctl restart kubelet";

    protected override string TakeOut(ClusterModel cluster) => "systemctl restart --no-block kubelet";

    protected override IReadOnlyList<(string Path, string Text, string Mode)> Files(ClusterModel cluster)
    {
        using var strange = Pki.CertificateAuthority.Create("Kubernetes");
        return [("/var/lib/kubelet/ca.crt", strange.CertificatePem, "644")];
    }
}
