using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class WrongCgroupDriver() : MachineFault("wrong-cgroup-driver", "kubelet and containerd do not agree who makes cgroups")
{
    public override string Lesson =>
        "One of them asks systemd, the other writes below /sys/fs/cgroup itself. Pods start, and their limits are kept in two trees: systemd removes what it does not know at its next reload, and figures and evictions are wrong.";

    public override IReadOnlyList<string> Hints =>
    [
        "Pods start, and their limits are not where they should be.",
        "Two programs must agree on a driver.",
        "cgroupDriver of the kubelet against SystemdCgroup of containerd.",
    ];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.Nodes.Where(f => f.Facts.Text("kubelet").Contains("cgroupDriver:", StringComparison.Ordinal)
            && f.Facts.Text("kubelet").Contains("cgroupDriver: systemd", StringComparison.Ordinal) != f.Facts.Text("containerd").Contains("SystemdCgroup = true", StringComparison.Ordinal))
        .Select(f => Found(
            f.Machine,
            $"the kubelet of {f.Machine} has {f.Facts.Lines("kubelet").First(l => l.StartsWith("cgroupDriver:", StringComparison.Ordinal))}, containerd has {f.Facts.Lines("containerd").Select(l => l.Trim()).FirstOrDefault(l => l.StartsWith("SystemdCgroup", StringComparison.Ordinal)) ?? "no SystemdCgroup"}",
            $"hardway step run kubelet@{f.Machine} and hardway step run containerd@{f.Machine}"));

    protected override IReadOnlyList<string> Keeps => ["/var/lib/kubelet/kubelet-config.yaml"];

    protected override Machine Target(MachineDatabase machines) => machines.Nodes[^1];

    protected override string PutIn(ClusterModel cluster) => "sed -i 's/^cgroupDriver: systemd/cgroupDriver: cgroupfs/' /var/lib/kubelet/kubelet-config.yaml\nsystemctl restart kubelet";

    protected override string TakeOut(ClusterModel cluster) => "systemctl restart --no-block kubelet";
}
