using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class UnitDisabled() : MachineFault("unit-disabled", "a unit is not enabled, so it will not come back after a boot")
{
    public override string Lesson =>
        "It runs, since somebody started it. Nothing tells that it will not be started at the next boot until the next boot, at night, after a power cut.";

    public override IReadOnlyList<string> Hints =>
    [
        "All is well until it is dark.",
        "What happens when a node boots?",
        "systemctl is-enabled, for the units of every machine.",
    ];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.All.SelectMany(f => f.Facts.Units.Where(u => u.Value.Enabled == "disabled").Select(u => Found(
        f.Machine, $"{u.Key}.service on {f.Machine} is {u.Value.Active} and disabled", $"on {f.Machine}: systemctl enable {u.Key} (or hardway up)")));

    protected override Machine Target(MachineDatabase machines) => machines.Nodes[0];

    protected override string PutIn(ClusterModel cluster) => "systemctl disable --quiet kubelet";

    protected override string TakeOut(ClusterModel cluster) => "systemctl enable --quiet kubelet";
}
