using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class ExpiredCertificate() : MachineFault("expired-certificate", "a server shows a certificate that has ended")
{
    public override string Lesson =>
        "A certificate is good until a moment and not after. Nobody restarts anything, and from one second to the next every client refuses the server. HAProxy verifies too, and takes this API server out; the cluster lives on the others until theirs end, an hour or a minute later.";

    public override IReadOnlyList<string> Hints =>
    [
        "Nothing was changed, and yet.",
        "What does a client of each server say of it?",
        "openssl s_client -connect SERVER:6443 | openssl x509 -noout -enddate",
    ];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.Certificates.Where(c => c.Problem == CertificateProblem.Expired)
        .Select(c => Found(c.Endpoint.Machine, c.Evidence, $"hardway step run certificates, then hardway step run {(c.Endpoint.Port == ClusterAddresses.ApiPort ? "kube-apiserver" : c.Endpoint.Port == Cluster.TlsEndpoints.Kubelet ? "kubelet" : "etcd")}@{c.Endpoint.Machine}"));

    protected override IReadOnlyList<string> Keeps => ["/var/lib/kubernetes/kube-api-server.crt", "/var/lib/kubernetes/kube-api-server.key"];

    protected override Machine Target(MachineDatabase machines) => machines.Servers[^1];

    protected override string PutIn(ClusterModel cluster) => "systemctl restart kube-apiserver";

    protected override string TakeOut(ClusterModel cluster) => "systemctl restart --no-block kube-apiserver";

    protected override IReadOnlyList<(string Path, string Text, string Mode)> Files(ClusterModel cluster)
    {
        var made = FaultContext.Issue(cluster, "kube-api-server", s => s with { Lifetime = TimeSpan.FromSeconds(-5) });
        return [("/var/lib/kubernetes/kube-api-server.crt", made.CertificatePem, "644"), ("/var/lib/kubernetes/kube-api-server.key", made.KeyPem, "600")];
    }
}
