using Hardway.Provisioning.Cluster;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Remote;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.ControlPlane;

/// <summary>One etcd member: TLS for clients and for peers, both with certificates of etcd's own authority.</summary>
internal sealed class EtcdStep(ClusterModel cluster, Machine machine) : RemoteStep("etcd", cluster, machine, "host-names", "packages")
{
    public override string Explain =>
        $"etcd keeps the cluster's state on {Cluster.Machines.Servers.Count} members, of which a majority must agree on each write. Member {Target.HostName} listens on "
        + $"{Target.Address}:2379 for API servers and :2380 for its peers; both sides show certificates.";

    public override string Expected => $"https://{Target.Address}:2379/health says that the member has a leader and can commit";

    public override Task<string> VerifyAsync(StepContext context, CancellationToken cancellation) => context.WaitAsync(
        $"etcd on {Target}",
        token => EtcdProbe.HealthAsync(Cluster, Target, token),
        TimeSpan.FromSeconds(60),
        token => CauseAsync("etcd.service", token),
        cancellation);

    internal static string Unit(MachineDatabase machines, Machine member)
    {
        var all = string.Join(',', machines.Servers.Select(s => $"{s.HostName}=https://{s.Address}:2380"));
        return $"""
            [Unit]
            Description=etcd
            Documentation=https://github.com/etcd-io/etcd
            After=network.target
            StartLimitIntervalSec=0

            [Service]
            Type=notify
            ExecStart=/usr/bin/etcd \
              --name {member.HostName} \
              --cert-file=/etc/etcd/etcd.crt \
              --key-file=/etc/etcd/etcd.key \
              --peer-cert-file=/etc/etcd/etcd.crt \
              --peer-key-file=/etc/etcd/etcd.key \
              --trusted-ca-file=/etc/etcd/ca.crt \
              --peer-trusted-ca-file=/etc/etcd/ca.crt \
              --client-cert-auth \
              --peer-client-cert-auth \
              --initial-advertise-peer-urls https://{member.Address}:2380 \
              --listen-peer-urls https://{member.Address}:2380 \
              --listen-client-urls https://{member.Address}:2379,https://127.0.0.1:2379 \
              --advertise-client-urls https://{member.Address}:2379 \
              --initial-cluster-token etcd-cluster-0 \
              --initial-cluster {all} \
              --initial-cluster-state new \
              --logger=zap \
              --data-dir=/var/lib/etcd
            Restart=on-failure
            RestartSec=1
            LimitNOFILE=65536

            [Install]
            WantedBy=multi-user.target

            """;
    }

    protected override void Describe(MachineState state)
    {
        state.Folder("/etc/etcd").Folder("/var/lib/etcd", "700")
            .File("/etc/etcd/ca.crt", Cluster.Certificate(ClusterCertificates.EtcdAuthority))
            .File("/etc/etcd/etcd.crt", Cluster.Certificate($"etcd-{Target.HostName}"))
            .File("/etc/etcd/etcd.key", Cluster.Key($"etcd-{Target.HostName}"), "600")
            .Unit("etcd.service", Unit(Cluster.Machines, Target));
    }
}
