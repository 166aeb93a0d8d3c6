using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class FewFileDescriptors() : MachineFault("few-file-descriptors", "a program may open too few files")
{
    public override string Lesson =>
        "Each connection is a file descriptor: watches, peers, clients. systemd's default of 1024 is reached one busy day, and then accept fails: the program lives, answers whom it knows, and nobody new.";

    public override IReadOnlyList<string> Hints =>
    [
        "It works until it is busy.",
        "Limits of the programs of the servers.",
        "systemctl show -p LimitNOFILE etcd kube-apiserver",
    ];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.Servers.SelectMany(f => f.Facts.Units.Where(u => u.Key is "etcd" or "kube-apiserver" && u.Value.FileLimit < 8192).Select(u => Found(
        f.Machine, $"LimitNOFILE of {u.Key} on {f.Machine} is {u.Value.FileLimit}", $"remove what sets it (systemctl cat {u.Key}), then hardway step run {u.Key}@{f.Machine}")));

    protected override IReadOnlyList<string> Keeps => ["/etc/systemd/system/etcd.service.d/limits.conf"];

    protected override Machine Target(MachineDatabase machines) => machines.Servers[^1];

    protected override string PutIn(ClusterModel cluster) => "mkdir -p /etc/systemd/system/etcd.service.d\nprintf '[Service]\\nLimitNOFILE=512\\n' >/etc/systemd/system/etcd.service.d/limits.conf\nsystemctl daemon-reload\nsystemctl restart etcd";

    protected override string TakeOut(ClusterModel cluster) => "rmdir /etc/systemd/system/etcd.service.d 2>/dev/null || true\nsystemctl daemon-reload\nsystemctl restart --no-block etcd";
}
