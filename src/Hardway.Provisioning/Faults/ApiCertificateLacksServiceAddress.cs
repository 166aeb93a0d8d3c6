using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class ApiCertificateLacksServiceAddress() : MachineFault("api-certificate-lacks-service-address", "the API server's certificate lacks the first Service address")
{
    public override string Lesson =>
        "Pods call the API by the Service kubernetes, at the first address of the Service range. An API server whose certificate does not name it works for kubectl and kubelets and refuses every Pod that reaches it: with several servers, one connection in so many.";

    public override IReadOnlyList<string> Hints =>
    [
        "Programs inside Pods fail now and then; kubectl never does.",
        "openssl s_client against each API server; read the names.",
        "Which certificate lacks 10.32.0.1?",
    ];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.Certificates.Where(c => c is { Problem: CertificateProblem.MissingName, Endpoint.Port: ClusterAddresses.ApiPort })
        .Select(c => Found(c.Endpoint.Machine, c.Evidence, $"hardway step run kube-apiserver@{c.Endpoint.Machine}"));

    protected override IReadOnlyList<string> Keeps => ["/var/lib/kubernetes/kube-api-server.crt", "/var/lib/kubernetes/kube-api-server.key"];

    protected override Machine Target(MachineDatabase machines) => machines.Servers[^1];

    protected override string PutIn(ClusterModel cluster) => "systemctl restart kube-apiserver";

    protected override string TakeOut(ClusterModel cluster) => "systemctl restart --no-block kube-apiserver";

    protected override IReadOnlyList<(string Path, string Text, string Mode)> Files(ClusterModel cluster)
    {
        var made = FaultContext.Issue(cluster, "kube-api-server", s => s with { Addresses = [.. s.Addresses.Where(a => a.ToString() != ClusterAddresses.KubernetesService)] });
        return [("/var/lib/kubernetes/kube-api-server.crt", made.CertificatePem, "644"), ("/var/lib/kubernetes/kube-api-server.key", made.KeyPem, "600")];
    }
}
