using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Ssh;

namespace Hardway.Provisioning.Drills;

/// <summary>Takes a component away and gives it back. A machine that is cut off keeps SSH from this computer, and mends itself after a while if nobody does.</summary>
internal sealed class DrillFault(ClusterModel cluster, IPower? power, DrillComponent component, Manner manner, Machine target)
{
    private const string _table = "hardway-drill";

    /// <summary>Why it cannot be done here; null when it can.</summary>
    public static string? Obstacle(MachineDatabase machines, DrillComponent component, Manner manner, bool hasPower)
        => !component.Manners.Contains(manner) ? $"{component.Name} is taken away by {string.Join(", ", component.Manners.Select(DrillComponent.Word))}"
            : component.Role == MachineRole.LoadBalancer && machines.LoadBalancer is null ? "there is no load balancer"
            : manner == Manner.PowerOff && !hasPower ? "nobody here can switch these machines off and on: the lab can"
            : manner == Manner.Isolate && machines.Servers.Count < 3 ? "it takes three servers"
            : null;

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
                Manner.Kill => $"systemctl kill --kill-whom=main -s KILL {component.Unit}",
                Manner.Freeze => $"systemctl kill --kill-whom=main -s STOP {component.Unit}",
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
                Manner.Freeze => $"systemctl kill --kill-whom=main -s CONT {component.Unit}",
                _ => $"systemctl stop {_table}.timer 2>/dev/null || true\nnft delete table inet {_table} 2>/dev/null || true",
            },
            cancellation).ConfigureAwait(false);
    }

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
