using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class DnsAddressOfMachine() : MachineFault("dns-address-of-machine", "Pods are told a machine's address as their name server")
{
    public override string Lesson =>
        "The kubelet writes clusterDNS into every Pod's resolv.conf. It must be the cluster DNS Service's address; when it is a machine's, names fail in new Pods of that node while addresses go on working, and old Pods are not touched.";

    public override IReadOnlyList<string> Hints =>
    [
        "Addresses work, names do not, and only in new Pods.",
        "cat /etc/resolv.conf in a Pod of each node.",
        "Compare clusterDNS in /var/lib/kubelet/kubelet-config.yaml with the Service kube-dns.",
    ];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.Nodes.SelectMany(f => f.Facts.Lines("kubelet").SkipWhile(l => !l.StartsWith("clusterDNS:", StringComparison.Ordinal)).Skip(1).TakeWhile(l => l.TrimStart().StartsWith('-'))
        .Select(l => l.Trim(' ', '-', '"')).Where(a => a != ClusterAddresses.DnsService)
        .Select(a => Found(
            f.Machine,
            $"clusterDNS of {f.Machine}'s kubelet is {a}{(examination.Machines.Find(a) is { } owner ? $", which is {owner}" : "")}; the Service kube-dns has {ClusterAddresses.DnsService}",
            $"hardway step run kubelet@{f.Machine}")));

    protected override IReadOnlyList<string> Keeps => ["/var/lib/kubelet/kubelet-config.yaml"];

    protected override Machine Target(MachineDatabase machines) => machines.Nodes[0];

    protected override string PutIn(ClusterModel cluster) => $"sed -i 's#^- {ClusterAddresses.DnsService}$#- {cluster.Machines.Servers[0].Address}#' /var/lib/kubelet/kubelet-config.yaml\nsystemctl restart kubelet";

    protected override string TakeOut(ClusterModel cluster) => "systemctl restart --no-block kubelet";
}
