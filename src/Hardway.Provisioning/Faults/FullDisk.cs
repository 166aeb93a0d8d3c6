using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class FullDisk() : MachineFault("full-disk", "a file system is full")
{
    public override string Lesson =>
        "A full disk stops what must write: etcd (it takes its whole member down rather than lie), the audit log (an API server may refuse requests it cannot record), containerd's snapshots, the journal. df is the first thing to look at and the last one thinks of.";

    public override IReadOnlyList<string> Hints =>
    [
        "Something cannot be written any more.",
        "On one of the servers.",
        "df",
    ];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.All.SelectMany(f => f.Facts.Lines("disks").Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(w => w.Length >= 6 && int.TryParse(w[4].TrimEnd('%'), out var used) && used >= 95)
        .Select(w => Found(f.Machine, $"{w[5]} of {f.Machine} is {w[4]} full: {w[3]} kB of {w[1]} left", $"make room on {f.Machine}: du -xd1 {w[5]} | sort -n")));

    protected override Machine Target(MachineDatabase machines) => machines.Servers[^1];

    protected override string PutIn(ClusterModel cluster) => "mountpoint -q /var/log || mount -t tmpfs -o size=2m,mode=755 hardway-fault /var/log\nhead -c 3m /dev/zero >/var/log/forgotten.dump 2>/dev/null || true";

    protected override string TakeOut(ClusterModel cluster) => "if grep -q '^hardway-fault /var/log ' /proc/mounts; then umount -l /var/log; fi";
}
