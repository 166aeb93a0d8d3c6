using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class EncryptionKeyDiffers() : MachineFault("encryption-key-differs", "one API server encrypts Secrets with another key than the others")
{
    public override string Lesson =>
        "Secrets that this server writes are unreadable to the others, and theirs to it: a Secret can be read or not depending on where the load balancer sends the connection, and a LIST of all Secrets fails. A new key must be on every server as a second one before any writes with it.";

    public override IReadOnlyList<string> Hints =>
    [
        "kubectl get secrets fails, now and then.",
        "It depends on the API server that answers, and on the one that wrote.",
        "sha256sum /var/lib/kubernetes/encryption-config.yaml on all servers.",
    ];

    public override string? Obstacle(MachineDatabase machines, bool sharedKernel) => machines.Servers.Count < 3 ? "there is one server only" : null;

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => Majority.Minority(examination.Servers, f => f.Text("encryption")).Select(m => Found(
        m, $"encryption-config.yaml of {m} (sha256 {examination.Facts[m].Text("encryption")}...) differs from the other servers'", $"hardway step run kube-apiserver@{m}"));

    protected override IReadOnlyList<string> Keeps => ["/var/lib/kubernetes/encryption-config.yaml"];

    protected override Machine Target(MachineDatabase machines) => machines.Servers[^1];

    protected override string PutIn(ClusterModel cluster) => "systemctl restart kube-apiserver";

    protected override string TakeOut(ClusterModel cluster) => "systemctl restart --no-block kube-apiserver";

    protected override IReadOnlyList<(string Path, string Text, string Mode)> Files(ClusterModel cluster)
        => [("/var/lib/kubernetes/encryption-config.yaml", Provisioning.Cluster.ConfigurationStep.Encryption(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32)), "600")];
}
