using Hardway.Provisioning.Cluster;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Remote;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.ControlPlane;

/// <summary>One etcd member: TLS for clients and for peers, both with certificates of etcd's own authority.</summary>
internal sealed class EtcdStep(ClusterModel cluster, Machine machine) : RemoteStep("etcd", cluster, machine, "host-names", "packages")
{
    private string? _misses;

    public override string Explain =>
        $"etcd keeps the cluster's state on {Cluster.Machines.Servers.Count} members, of which a majority must agree on each write. Member {Target.HostName} listens on "
        + $"{Target.Address}:2379 for API servers and :2380 for its peers; both sides show certificates.";

    public override string Expected => $"https://{Target.Address}:2379/health says that the member has a leader and can commit";

    /// <summary>On a cluster that was founded before, a server may have to join.</summary>
    public override async Task<StepCheck> CheckAsync(StepContext context, CancellationToken cancellation)
    {
        var check = await base.CheckAsync(context, cancellation).ConfigureAwait(false);
        _misses = Cluster.EtcdBootstrap.IsFounded ? await EtcdMembership.MissesAsync(Cluster, Target, cancellation).ConfigureAwait(false) : null;
        return _misses is null ? check : StepCheck.Missing(_misses, [.. check.Changes, new StepItem("member", Target.HostName, "joins etcd as a learner, then votes")]);
    }

    /// <summary>Who joins does so alone, and a member that runs is started again alone, so that never more than one is away.</summary>
    public override async Task ApplyAsync(StepContext context, CancellationToken cancellation)
    {
        if (_misses is null && !Difference.Restarts(State))
        {
            await base.ApplyAsync(context, cancellation).ConfigureAwait(false);
            return;
        }

        context.Report("waiting for its turn: one member of etcd changes at a time");
        using var turn = await Cluster.EtcdTurns.TakeAsync(cancellation).ConfigureAwait(false);
        if (_misses is not null)
        {
            await EtcdMembership.AnnounceAsync(Cluster, Target, cancellation).ConfigureAwait(false);
        }

        await base.ApplyAsync(context, cancellation).ConfigureAwait(false);
        if (_misses is not null)
        {
            await EtcdMembership.StartAsync(Cluster, Target, cancellation).ConfigureAwait(false);
            await EtcdMembership.AdmitAsync(Cluster, Target, context, cancellation).ConfigureAwait(false);
        }

        await VerifyAsync(context, cancellation).ConfigureAwait(false);
    }

    public override async Task<string> VerifyAsync(StepContext context, CancellationToken cancellation)
    {
        var seen = await context.WaitAsync(
            $"etcd on {Target}",
            token => EtcdProbe.HealthAsync(Cluster, Target, token),
            TimeSpan.FromSeconds(60),
            token => CauseAsync("etcd.service", token),
            cancellation).ConfigureAwait(false);
        Cluster.EtcdBootstrap.Keep(Cluster.Machines);
        return seen;
    }

    /// <summary>The line that starts it.</summary>
    internal static string Command(Machine member, string state, string members) => $"""
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
          --initial-cluster {members} \
          --initial-cluster-state {state} \
          --logger=zap \
          --data-dir=/var/lib/etcd
        """;

    internal static string Unit(Machine member, string state, string members) => $"""
        [Unit]
        Description=etcd
        Documentation=https://github.com/etcd-io/etcd
        After=network.target
        StartLimitIntervalSec=0

        [Service]
        Type=notify
        {Command(member, state, members)}
        Restart=on-failure
        RestartSec=1
        LimitNOFILE=65536

        [Install]
        WantedBy=multi-user.target

        """;

    protected override void Describe(MachineState state)
    {
        var (first, members) = Cluster.EtcdBootstrap.Of(Cluster.Machines, Target);
        state.Folder("/etc/etcd").Folder("/var/lib/etcd", "700")
            .File("/etc/etcd/ca.crt", Cluster.Certificate(ClusterCertificates.EtcdAuthority))
            .File("/etc/etcd/etcd.crt", Cluster.Certificate($"etcd-{Target.HostName}"))
            .File("/etc/etcd/etcd.key", Cluster.Key($"etcd-{Target.HostName}"), "600")
            .Unit("etcd.service", Unit(Target, first, members));
    }
}
