using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class ClockSkew() : MachineFault("clock-skew", "a machine's clock is off")
{
    public override string Lesson =>
        "Certificates are not yet or no longer good, tokens have expired before they were issued, and a Lease seems fresh or stale: leader election compares its own clock only, but people and certificates do not.";

    public override IReadOnlyList<string> Hints =>
    [
        "Things are refused that should be good.",
        "What time is it?",
        "date, on every machine; timedatectl.",
    ];

    public override string? Obstacle(MachineDatabase machines, bool sharedKernel) => sharedKernel ? "needs machines with a kernel of their own: here the clock is the host's" : null;

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.All.Where(f => f.Facts.ClockOffset.Duration() > TimeSpan.FromSeconds(2)).Select(f => Found(
        f.Machine, $"the clock of {f.Machine} is {f.Facts.ClockOffset.TotalSeconds:+0.0;-0.0} s from this computer's", $"on {f.Machine}: timedatectl set-ntp true, and see why it did not keep time"));

    protected override Machine Target(MachineDatabase machines) => machines.Nodes[^1];

    protected override string PutIn(ClusterModel cluster) => OwnKernel.Guard + "timedatectl set-ntp false || true\ndate -s '+10 minutes' >/dev/null";

    protected override string TakeOut(ClusterModel cluster) => "date -s '-10 minutes' >/dev/null\ntimedatectl set-ntp true || true";
}
