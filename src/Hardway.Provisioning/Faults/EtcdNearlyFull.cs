using Hardway.Provisioning.ControlPlane;
using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Faults;

internal sealed class EtcdNearlyFull() : MachineFault("etcd-nearly-full", "etcd is nearly at its quota")
{
    public override string Lesson =>
        "At its quota a member raises an alarm, and all of etcd refuses writes until somebody compacts, defragments and disarms it. The cluster goes on reading: Leases are not renewed, nothing is scheduled, and kubectl get says that all is well.";

    public override IReadOnlyList<string> Hints =>
    [
        "It has not happened yet.",
        "Ask etcd for its size, and for how large it may become.",
        "etcd_mvcc_db_total_size_in_bytes against etcd_server_quota_backend_bytes in :2379/metrics",
    ];

    public override IEnumerable<Diagnosis> Diagnose(Examination examination) => examination.EtcdSpace.Where(s => s.Quota > 0 && s.Bytes > 0.8 * s.Quota).Select(s => Found(
        s.Member, $"etcd of {s.Member} holds {s.Bytes / 1048576:0} MB of its quota of {s.Quota / 1048576:0} MB", $"raise --quota-backend-bytes on {s.Member} (or hardway step run etcd@{s.Member} when somebody lowered it), compact and defragment"));

    /// <summary>Should the quota have been reached meanwhile, the alarm would outlive it.</summary>
    public override async Task TakeOutAsync(FaultContext context, CancellationToken cancellation)
    {
        await base.TakeOutAsync(context, cancellation).ConfigureAwait(false);
        await EtcdMembership.DisarmAsync(context.Cluster, context.Cluster.Machines.Servers[0], cancellation).ConfigureAwait(false);
    }

    protected override IReadOnlyList<string> Keeps => ["/etc/systemd/system/etcd.service.d/quota.conf"];

    protected override Machine Target(MachineDatabase machines) => machines.Servers[^1];

    protected override string PutIn(ClusterModel cluster) => """
        size=$(stat -c %s /var/lib/etcd/member/snap/db)
        mkdir -p /etc/systemd/system/etcd.service.d
        printf '[Service]\nEnvironment=ETCD_QUOTA_BACKEND_BYTES=%s\n' $((size + size / 9)) >/etc/systemd/system/etcd.service.d/quota.conf
        systemctl daemon-reload
        systemctl restart etcd
        """;

    protected override string TakeOut(ClusterModel cluster) => "rmdir /etc/systemd/system/etcd.service.d 2>/dev/null || true\nsystemctl daemon-reload\nsystemctl restart --no-block etcd";
}
