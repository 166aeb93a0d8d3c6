using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class WrongPodRange() : MachineFault("wrong-pod-range", "the controller manager's Pod range does not contain the nodes' Pod subnets")
{
    public override string Lesson =>
        "The controller manager and kube-proxy decide by --cluster-cidr what is a Pod. With another range, masquerading and node ranges follow the wrong one, and what worked goes on working until something is made anew.";

    public override IReadOnlyList<string> Hints =>
    [
        "Compare flags on the servers.",
        "Whose subnets does the cluster CIDR hold?",
        "--cluster-cidr against the machine database.",
    ];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.Servers.SelectMany(f => f.Facts.Units.GetValueOrDefault("kube-controller-manager")?.Flag("--cluster-cidr") is { } range && System.Net.IPNetwork.TryParse(range, out var network)
            && examination.Machines.Nodes.FirstOrDefault(n => !network.Contains(n.PodSubnet!.Value.BaseAddress)) is { } outside
        ? (IEnumerable<Diagnosis>)[Found(f.Machine, $"--cluster-cidr={range} of {f.Machine}'s controller manager does not contain {outside.PodSubnet} of {outside}", $"hardway step run kube-controller-manager@{f.Machine}")]
        : []);

    protected override IReadOnlyList<string> Keeps => ["/etc/systemd/system/kube-controller-manager.service"];

    protected override Machine Target(MachineDatabase machines) => machines.Servers[^1];

    protected override string PutIn(ClusterModel cluster) => "sed -i 's#--cluster-cidr=[^ ]*#--cluster-cidr=10.100.0.0/16#' /etc/systemd/system/kube-controller-manager.service\nsystemctl daemon-reload\nsystemctl restart kube-controller-manager";

    protected override string TakeOut(ClusterModel cluster) => "systemctl daemon-reload\nsystemctl restart --no-block kube-controller-manager";
}
