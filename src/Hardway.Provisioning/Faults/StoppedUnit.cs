using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

/// <summary>A program that does not run. One fault for each unit of each role.</summary>
internal sealed class StoppedUnit(string unit, MachineRole role, string lesson, string hint, params IReadOnlyList<string> explains)
    : MachineFault(unit + "-stopped", $"{unit} does not run")
{
    public override string Lesson => lesson;

    public override IReadOnlyList<string> Hints => [hint, $"Look at the units of the {(role == MachineRole.Node ? "nodes" : role == MachineRole.Server ? "servers" : "load balancer")}: systemctl status", $"systemctl status {unit}"];

    public override IReadOnlyList<string> Explains => explains;

    public override string? Obstacle(MachineDatabase machines, bool sharedKernel)
        => role == MachineRole.LoadBalancer && machines.LoadBalancer is null ? "there is no load balancer" : null;

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.All
        .Where(f => f.Machine.Role == role && f.Facts.Units.TryGetValue(unit, out var found) && !found.IsActive)
        .Select(f => Found(f.Machine, $"systemd says that {unit}.service is {f.Facts.Units[unit].Active}", $"hardway step run {StepOf(unit)}@{f.Machine}; if it does not stay up: journalctl -u {unit}"));

    protected override Machine Target(MachineDatabase machines) => machines.Machines.Last(m => m.Role == role);

    protected override string PutIn(ClusterModel cluster) => $"systemctl stop {unit}";

    protected override string TakeOut(ClusterModel cluster) => string.Join('\n', explains.Select(e => e.Replace("-stopped", "", StringComparison.Ordinal)).Prepend(unit).Select(u => $"systemctl start --no-block {u}"));

    private static string StepOf(string unit) => unit == "hardway-pod-routes" ? "pod-routes" : unit == "hardway-masquerade" ? "node-network" : unit;
}
