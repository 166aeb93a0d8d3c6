using System.Net;
using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class ServiceRangeOverMachines() : MachineFault("service-range-over-machines", "the Service range covers the machines' own subnet")
{
    public override string Lesson =>
        "An address of a Service that is also a machine's is answered by whoever is nearer: kube-proxy catches packets meant for the machine. The ranges of machines, Pods and Services must be apart, and the same on every API server.";

    public override IReadOnlyList<string> Hints =>
    [
        "Addresses are given out by one of the API servers.",
        "Compare the flags of the API servers.",
        "Which machine has an address within --service-cluster-ip-range?",
    ];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.Servers.SelectMany(f =>
        f.Facts.Units.GetValueOrDefault("kube-apiserver")?.Flag("--service-cluster-ip-range") is { } range && IPNetwork.TryParse(range, out var network)
            && examination.Machines.Machines.FirstOrDefault(m => network.Contains(m.Address)) is { } covered
            ? (IEnumerable<Diagnosis>)[Found(f.Machine, $"--service-cluster-ip-range={range} of {f.Machine}'s API server contains {covered} ({covered.Address})", $"hardway step run kube-apiserver@{f.Machine}")]
            : []);

    protected override IReadOnlyList<string> Keeps => ["/etc/systemd/system/kube-apiserver.service"];

    protected override Machine Target(MachineDatabase machines) => machines.Servers[^1];

    protected override string PutIn(ClusterModel cluster) => $"sed -i 's#--service-cluster-ip-range=[^ ]*#--service-cluster-ip-range={OfMachines(cluster)}#' /etc/systemd/system/kube-apiserver.service\nsystemctl daemon-reload\nsystemctl restart kube-apiserver";

    private static string OfMachines(ClusterModel cluster)
    {
        var address = cluster.Machines.Servers[^1].Address.ToString();
        return address[..address.LastIndexOf('.')] + ".0/24";
    }

    protected override string TakeOut(ClusterModel cluster) => "systemctl daemon-reload\nsystemctl restart --no-block kube-apiserver";
}
