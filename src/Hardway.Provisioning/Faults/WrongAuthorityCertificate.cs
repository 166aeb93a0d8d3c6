using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class WrongAuthorityCertificate() : MachineFault("wrong-authority-certificate", "a server shows a certificate of a strange authority")
{
    public override string Lesson =>
        "The names are right, the dates are right, and nobody trusts it: it was signed by another authority of the same name, as when someone made the PKI a second time and copied half of it. API servers refuse the kubelet, so logs and exec of that node's Pods fail and nothing else does.";

    public override IReadOnlyList<string> Hints =>
    [
        "kubectl logs fails for some Pods.",
        "What do these Pods have in common?",
        "Compare the issuer's key of the kubelets' certificates with the cluster's authority.",
    ];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.Certificates.Where(c => c.Problem == CertificateProblem.WrongAuthority)
        .Select(c => Found(c.Endpoint.Machine, c.Evidence, $"hardway step run {(c.Endpoint.Port == ClusterAddresses.ApiPort ? "kube-apiserver" : c.Endpoint.Port == Cluster.TlsEndpoints.Kubelet ? "kubelet" : "etcd")}@{c.Endpoint.Machine}"));

    protected override IReadOnlyList<string> Keeps => ["/var/lib/kubelet/kubelet.crt", "/var/lib/kubelet/kubelet.key"];

    protected override Machine Target(MachineDatabase machines) => machines.Nodes[^1];

    protected override string PutIn(ClusterModel cluster) => "systemctl restart kubelet";

    protected override string TakeOut(ClusterModel cluster) => "systemctl restart --no-block kubelet";

    protected override IReadOnlyList<(string Path, string Text, string Mode)> Files(ClusterModel cluster)
    {
        var made = FaultContext.Issue(cluster, cluster.Machines.Nodes[^1].HostName, s => s, strangeAuthority: true);
        return [("/var/lib/kubelet/kubelet.crt", made.CertificatePem, "644"), ("/var/lib/kubelet/kubelet.key", made.KeyPem, "600")];
    }
}
