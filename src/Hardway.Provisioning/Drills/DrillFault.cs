using Hardway.Provisioning.ControlPlane;
using Hardway.Provisioning.Faults;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Ssh;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Drills;

/// <summary>
/// Takes a component away and gives it back. A machine that is cut off keeps SSH from this computer, and mends itself after a while if nobody does. For a full disk, what is to
/// run full is a small file system of its own, made before and taken away afterwards: nobody else's disk is filled.
/// </summary>
internal sealed class DrillFault(ClusterModel cluster, IPower? power, DrillComponent component, Manner manner, Machine target)
{
    private const string _table = "hardway-drill";

    /// <summary>Why it cannot be done here; null when it can.</summary>
    public static string? Obstacle(MachineDatabase machines, DrillComponent component, Manner manner, bool hasPower, bool sharedKernel)
        => !component.Manners.Contains(manner) ? $"{component.Name} is taken away by {string.Join(", ", component.Manners.Select(DrillComponent.Word))}"
            : component.Role == MachineRole.LoadBalancer && machines.LoadBalancer is null ? "there is no load balancer"
            : manner == Manner.PowerOff && !hasPower ? "nobody here can switch these machines off and on: the lab can"
            : manner == Manner.ClockJump && sharedKernel ? "these machines have this host's clock: it takes machines with one of their own"
            : manner == Manner.Isolate && machines.Servers.Count < 3 ? "it takes three servers"
            : null;

    /// <summary>Before anybody looks: what the fault needs, in place and healthy.</summary>
    public async Task PrepareAsync(StepContext context, CancellationToken cancellation)
    {
        if (manner != Manner.FullDisk)
        {
            return;
        }

        await RunAsync(component.Unit == "etcd" ? DrillDisk.UnderEtcd : DrillDisk.UnderLog(component.Unit!), cancellation).ConfigureAwait(false);
        await context.WaitAsync(
            $"{component.Unit} on {target} to be back on its small disk",
            token => component.Unit == "etcd" ? EtcdProbe.HealthAsync(cluster, target, token) : ApiProbe.ReadyAsync(cluster, target, token),
            TimeSpan.FromSeconds(60),
            null,
            cancellation).ConfigureAwait(false);
        if (component.Name == "etcd-leader")
        {
            await context.WaitAsync($"{target} to lead etcd again", token => LeadAsync(token), TimeSpan.FromSeconds(30), null, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Takes away what <see cref="PrepareAsync"/> made; nothing where it is gone already.</summary>
    public async Task RestoreAsync(CancellationToken cancellation)
    {
        if (manner == Manner.FullDisk)
        {
            await RunAsync(component.Unit == "etcd" ? DrillDisk.OffEtcd : DrillDisk.OffLog(component.Unit!), cancellation).ConfigureAwait(false);
        }
    }

    private async Task<string?> LeadAsync(CancellationToken cancellation)
    {
        var etcd = await EtcdStatus.ReadAsync(cluster, cancellation).ConfigureAwait(false);
        if (etcd.Leader is { } leader && leader.Machine != target)
        {
            await EtcdProbe.PostAsync(cluster, leader.Machine, "/v3/maintenance/transfer-leadership", $$"""{"targetID":"{{etcd.Statuses.Single(s => s.Machine == target).Id}}"}""", cancellation).ConfigureAwait(false);
        }

        return etcd.Leader?.Machine == target ? null : $"{etcd.Leader?.Machine.HostName ?? "nobody"} leads";
    }

    public async Task PutInAsync(CancellationToken cancellation)
    {
        if (manner == Manner.PowerOff)
        {
            await power!.OffAsync(target.HostName, cancellation).ConfigureAwait(false);
            return;
        }

        await RunAsync(
            manner switch
            {
                Manner.Stop => $"systemctl stop {component.Unit}",
                Manner.Kill => $"systemctl kill --kill-whom={Whom} -s KILL {component.Unit}",
                Manner.Freeze => $"systemctl kill --kill-whom={Whom} -s STOP {component.Unit}",
                Manner.FullDisk => DrillDisk.Fill(component.Unit == "etcd" ? DrillDisk.Etcd : DrillDisk.Log),
                Manner.ClockJump => $"{OwnKernel.Guard}timedatectl set-ntp false 2>/dev/null || true\ndate -s '+10 minutes' >/dev/null",
                _ => Cut(),
            },
            cancellation).ConfigureAwait(false);
    }

    public async Task MendAsync(CancellationToken cancellation)
    {
        if (manner == Manner.PowerOff)
        {
            await power!.OnAsync(target.HostName, cancellation).ConfigureAwait(false);
            return;
        }

        await RunAsync(
            manner switch
            {
                Manner.Stop or Manner.Kill => $"systemctl start --no-block {string.Join(' ', Units())}",
                Manner.Freeze => $"systemctl kill --kill-whom={Whom} -s CONT {component.Unit}",
                Manner.FullDisk => DrillDisk.Empty(component.Unit == "etcd" ? DrillDisk.Etcd : DrillDisk.Log) + $"\nsystemctl start --no-block {component.Unit}",
                Manner.ClockJump => $"{OwnKernel.Guard}date -s '-10 minutes' >/dev/null\ntimedatectl set-ntp true 2>/dev/null || true",
                _ => $"systemctl stop {_table}.timer 2>/dev/null || true\nnft delete table inet {_table} 2>/dev/null || true",
            },
            cancellation).ConfigureAwait(false);
    }

    /// <summary>HAProxy's main process only watches over the one that works; containerd's unit has the containers in it, which are nobody's to kill.</summary>
    private string Whom => component.Unit == "haproxy" ? "all" : "main";

    /// <summary>systemd stops what needs the unit, and starts only the unit again.</summary>
    private IEnumerable<string> Units() => component.Unit == "containerd" ? ["containerd", "kubelet"] : [component.Unit!];

    private string Cut()
    {
        var verdict = manner == Manner.Reject ? "reject with icmpx admin-prohibited" : "drop";
        var peers = manner == Manner.Isolate
            ? "ip saddr { " + string.Join(", ", cluster.Machines.Servers.Where(s => s != target).Select(s => s.Address)) + " }"
            : $"tcp dport != {cluster.Options.Ssh.Port} meta iifname != \"lo\"";
        var peersOut = manner == Manner.Isolate ? peers.Replace("saddr", "daddr", StringComparison.Ordinal) : $"tcp sport != {cluster.Options.Ssh.Port} meta oifname != \"lo\"";
        var other = manner == Manner.Isolate
            ? ""
            : $"meta iifname != \"lo\" meta l4proto != tcp {verdict}";
        return $$"""
            systemctl stop {{_table}}.timer 2>/dev/null || true
            systemd-run --quiet --collect --unit={{_table}} --on-active=180 nft delete table inet {{_table}}
            nft -f - <<'RULES'
            table inet {{_table}} {
              chain in { type filter hook input priority -50; {{peers}} {{verdict}}
                {{other}}; }
              chain out { type filter hook output priority -50; {{peersOut}} {{verdict}}
                {{other.Replace("iifname", "oifname", StringComparison.Ordinal)}}; }
              chain through { type filter hook forward priority -50; {{(manner == Manner.Isolate ? "" : verdict)}}; }
            }
            RULES
            """;
    }

    private Task<CommandResult> RunAsync(string script, CancellationToken cancellation)
        => cluster.SshTo(target).RunAsync("drill", "set -eu\n" + script, cancellation, limit: TimeSpan.FromSeconds(40));
}
