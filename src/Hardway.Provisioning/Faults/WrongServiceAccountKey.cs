using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class WrongServiceAccountKey() : MachineFault("wrong-service-account-key", "one API server has another key for service accounts than the others")
{
    public override string Lesson =>
        "Any API server may issue a Pod's token and any may have to believe it. With another key on one of them, tokens are good or not depending on where the load balancer sends the connection: Unauthorized now and then, in Pods only.";

    public override IReadOnlyList<string> Hints =>
    [
        "Pods are Unauthorized, now and then.",
        "It depends on the API server that answers.",
        "Compare service-accounts.key (its public half) on all servers.",
    ];

    public override string? Obstacle(MachineDatabase machines, bool sharedKernel) => machines.Servers.Count < 3 ? "there is one server only" : null;

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => Majority.Minority(examination.Servers, f => f.Text("account-key") + " " + f.Text("account-certificate")).Select(m => Found(
        m, $"the service account key of {m} (public half {examination.Facts[m].Text("account-key")}) differs from the other servers'", $"hardway step run kube-apiserver@{m}"));

    protected override IReadOnlyList<string> Keeps => ["/var/lib/kubernetes/service-accounts.crt", "/var/lib/kubernetes/service-accounts.key"];

    protected override Machine Target(MachineDatabase machines) => machines.Servers[^1];

    protected override string PutIn(ClusterModel cluster) => "systemctl restart kube-apiserver";

    protected override string TakeOut(ClusterModel cluster) => "systemctl restart --no-block kube-apiserver";

    protected override IReadOnlyList<(string Path, string Text, string Mode)> Files(ClusterModel cluster)
    {
        var made = FaultContext.Issue(cluster, "service-accounts", s => s);
        return [("/var/lib/kubernetes/service-accounts.crt", made.CertificatePem, "644"), ("/var/lib/kubernetes/service-accounts.key", made.KeyPem, "600")];
    }
}
