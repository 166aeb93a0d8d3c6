using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class MixedPacketFilters() : MachineFault("mixed-packet-filters", "one node's iptables writes legacy tables, another's writes nftables")
{
    public override string Lesson =>
        "Both backends work in the same kernel and do not see each other. Rules of the one hide from the tools of the other, and a packet passes both: programs that use iptables (CNI portmap, kube-proxy in iptables mode, a firewall) act differently on that node.";

    public override IReadOnlyList<string> Hints =>
    [
        "One node is not like the other, though the files are the same.",
        "iptables -V on each node.",
        "update-alternatives --display iptables",
    ];

    public override string? Obstacle(MachineDatabase machines, bool sharedKernel) => machines.Nodes.Count < 2 ? "there is one node only" : null;

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.Nodes.Where(f => f.Facts.Text("iptables").Contains("(legacy)", StringComparison.Ordinal)).ToList() is { Count: > 0 } legacy
            && examination.Nodes.Any(f => f.Facts.Text("iptables").Contains("(nf_tables)", StringComparison.Ordinal))
            ? legacy.Select(f => Found(
                f.Machine,
                $"iptables on {f.Machine} is {f.Facts.Text("iptables")}{(f.Facts.Lines("legacy-rules") is { Count: > 0 } rules ? $" with rules such as {rules[0]}" : "")}; on other nodes it is nf_tables",
                $"on {f.Machine}: update-alternatives --set iptables /usr/sbin/iptables-nft, then remove the legacy rules (iptables-legacy -F)"))
            : [];

    protected override Machine Target(MachineDatabase machines) => machines.Nodes[^1];

    protected override string PutIn(ClusterModel cluster) => "update-alternatives --set iptables /usr/sbin/iptables-legacy >/dev/null\niptables-legacy -N HARDWAY-FAULT 2>/dev/null || true\niptables-legacy -C HARDWAY-FAULT -j RETURN 2>/dev/null || iptables-legacy -A HARDWAY-FAULT -j RETURN || true";

    protected override string TakeOut(ClusterModel cluster) => "iptables-legacy -F HARDWAY-FAULT 2>/dev/null || true\niptables-legacy -X HARDWAY-FAULT 2>/dev/null || true\nupdate-alternatives --set iptables /usr/sbin/iptables-nft >/dev/null";
}
