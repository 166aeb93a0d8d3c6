using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class FilteredKubeletPort() : MachineFault("filtered-port", "a packet filter drops what a peer sends")
{
    public override string Lesson =>
        "A port that is closed refuses at once; one that a filter drops is silent, and every attempt costs a time-out. The server reaches the node by other ports, so ping says that all is well. Ports must be asked for from the very peer that needs them.";

    public override IReadOnlyList<string> Hints =>
    [
        "kubectl logs hangs for some Pods.",
        "A refusal is quick; this is not.",
        "From a server: the kubelet's port 10250 of each node. Then nft list ruleset.",
    ];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.All.SelectMany(f => f.Facts.Lines("ports").Select(l => l.Split(' ')).Where(w => w is [_, _, "silent"] && !examination.Silent.ContainsKey(examination.Machines.Find(w[0])?.HostName ?? ""))
            .Select(w => (From: f.Machine, To: examination.Machines.Find(w[0])!, Port: w[1]))).GroupBy(p => (p.To, p.Port))
        .Select(g => Found(g.Key.To, $"port {g.Key.Port} of {g.Key.To} is silent to {string.Join(", ", g.Select(p => p.From))}: packets are dropped, not refused", $"on {g.Key.To}: nft list ruleset, and what is between the machines"));

    protected override Machine Target(MachineDatabase machines) => machines.Nodes[^1];

    protected override string PutIn(ClusterModel cluster) => "nft 'add table inet hardway-fault; add chain inet hardway-fault input { type filter hook input priority -10; }; add rule inet hardway-fault input tcp dport 10250 drop'";

    protected override string TakeOut(ClusterModel cluster) => "nft delete table inet hardway-fault 2>/dev/null || true";
}
