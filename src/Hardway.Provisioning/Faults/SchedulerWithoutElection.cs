using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class SchedulerWithoutElection() : MachineFault("scheduler-without-election", "a scheduler acts without holding the Lease")
{
    public override string Lesson =>
        "Leader election is what keeps the others still. A scheduler that does not take part in it acts beside the holder: both bind Pods, each believes in its own count of what is free, and nodes get more than fits. Nothing fails; it is only wrong.";

    public override IReadOnlyList<string> Hints =>
    [
        "Nothing fails.",
        "More than one of a thing acts, where one should.",
        "Compare kube-scheduler.yaml on all servers.",
    ];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.Servers.Where(f => f.Facts.Text("scheduler").Contains("leaderElect: false", StringComparison.Ordinal)).Select(f => Found(
        f.Machine, $"/etc/kubernetes/config/kube-scheduler.yaml of {f.Machine} says leaderElect: false", $"hardway step run kube-scheduler@{f.Machine}"));

    protected override IReadOnlyList<string> Keeps => ["/etc/kubernetes/config/kube-scheduler.yaml"];

    protected override Machine Target(MachineDatabase machines) => machines.Servers[^1];

    protected override string PutIn(ClusterModel cluster) => "sed -i 's/leaderElect: true/leaderElect: false/' /etc/kubernetes/config/kube-scheduler.yaml\nsystemctl restart kube-scheduler";

    protected override string TakeOut(ClusterModel cluster) => "systemctl restart --no-block kube-scheduler";
}
