using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class SwapOn() : MachineFault("swap-on", "a node swaps")
{
    public override string Lesson =>
        "A Pod's memory limit counts memory, not swap: a container over its limit slows down with everything beside it where it should be killed and started again. The kubelet refuses to start on such a machine unless it is told how to deal with swap.";

    public override IReadOnlyList<string> Hints =>
    [
        "A node is slow, and nothing on it is busy.",
        "free",
        "swapon --show; /etc/fstab",
    ];

    public override string? Obstacle(MachineDatabase machines, bool sharedKernel) => sharedKernel ? "needs machines with a kernel of their own: here swap is the host's" : null;

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.Nodes.Where(f => f.Facts.Lines("swaps").Count > 0).Select(f => Found(
        f.Machine, $"{f.Machine} swaps to {f.Facts.Lines("swaps")[0].Split(' ', '\t')[0]}", $"on {f.Machine}: swapoff -a, and remove it from /etc/fstab"));

    protected override Machine Target(MachineDatabase machines) => machines.Nodes[^1];

    protected override string PutIn(ClusterModel cluster) => OwnKernel.Guard + "head -c 16m /dev/zero >/hardway-fault.swap\nchmod 600 /hardway-fault.swap\nmkswap -q /hardway-fault.swap >/dev/null\nswapon /hardway-fault.swap";

    protected override string TakeOut(ClusterModel cluster) => "swapoff /hardway-fault.swap 2>/dev/null || true\nrm -f /hardway-fault.swap";
}
