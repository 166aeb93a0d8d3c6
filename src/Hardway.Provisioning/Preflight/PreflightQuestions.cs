using System.Text;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Ssh;

namespace Hardway.Provisioning.Preflight;

/// <summary>
/// What is asked of a machine before anything is done to it: bash scripts that leave nothing behind. Beside reading, one writes a small file for the time of a disk's sync, and one
/// opens ports for a few seconds, so that a packet filter that refuses is told from a port at which nobody listens yet.
/// </summary>
internal static class PreflightQuestions
{
    private const string _listener = "hardway-preflight";

    /// <summary>As many writes as it takes to see a slow disk, each awaited as etcd awaits its log.</summary>
    public const int Syncs = 20;

    private static readonly (string Key, string Command)[] _ofAll =
    [
        ("hostname", "hostname"),
        ("hosts", "sed '/^# hardway begin$/,/^# hardway end$/d' /etc/hosts"),
        ("architecture", "uname -m"),
        ("systemd", "systemctl --version | sed -n '1s/systemd \\([0-9]*\\).*/\\1/p'"),
        ("id", "cat /etc/machine-id"),
        ("routes", "ip -4 route show"),
        ("swaps", "tail -n +2 /proc/swaps"),
        ("memory", "sed -n 's/^Mem\\(Total\\|Available\\): *\\([0-9]*\\) kB/\\2/p' /proc/meminfo"),
        ("disk", "df -Pk /var/lib | tail -n 1"),
        ("listening", "ss -H -ltnp"),
        ("ours", "for u in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy haproxy; do systemctl is-active -q $u && echo $u; done"),
    ];

    private static readonly (string Key, string Command)[] _ofNodes =
    [
        ("iptables", "iptables -V"),
        ("legacy-rules", "iptables-legacy-save | grep '^-A' | head -n 3"),
        ("bridge", "[ -e /proc/sys/net/bridge ] || modprobe -n br_netfilter && echo yes"),
        ("overlay", "grep -qw overlay /proc/filesystems || modprobe -n overlay && echo yes"),
    ];

    /// <summary>The answers are <see cref="Doctor.MachineFacts"/>.</summary>
    public static string Render(Machine machine)
    {
        var script = new StringBuilder("export LC_ALL=C\nd=$(mktemp -d /run/hardway-preflight.XXXXXX) || exit 1\ntrap 'rm -rf $d' EXIT\n"
            + "fact() { printf '%s %s\\n' \"$1\" \"$(bash -c \"$2\" 2>/dev/null </dev/null | head -c 200000 | base64 -w 0)\" >$d/$1; }\n");
        IEnumerable<(string Key, string Command)> questions = machine.Role switch
        {
            MachineRole.Node => [.. _ofAll, .. _ofNodes],
            MachineRole.Server => [.. _ofAll, ("sync", Sync)],
            _ => _ofAll,
        };
        foreach (var (key, command) in questions)
        {
            script.Append("fact ").Append(key).Append(' ').Append(SshMachine.Quote(command)).Append(" &\n");
        }

        return script.Append("wait\ncat $d/*\n").ToString();
    }

    /// <summary>Seconds that one write of 2 kB takes until it is on the disk.</summary>
    private static readonly string Sync =
        $"p=/var/lib; [ -d /var/lib/etcd ] && p=/var/lib/etcd; f=$(mktemp $p/.hardway-preflight.XXXXXX); trap 'rm -f $f' EXIT; "
        + $"dd if=/dev/zero of=$f bs=2k count={Syncs} oflag=dsync 2>&1 | sed -n 's/.* copied, \\([0-9.e-]*\\) s.*/\\1/p'";

    /// <summary>Listens at those of the ports at which nobody does; ends by itself. Prints "listening" where the machine can do that.</summary>
    public static string Listen(IReadOnlyList<int> ports) => $$"""
        command -v systemd-socket-activate >/dev/null || exit 0
        taken=$(ss -H -ltn | sed 's/.*:\([0-9]*\) .*/ \1 /' | tr -d '\n')
        l=; for p in {{string.Join(' ', ports)}}; do case "$taken" in *" $p "*) ;; *) l="$l -l $p";; esac; done
        [ -n "$l" ] || { echo listening; exit 0; }
        systemctl stop {{_listener}} 2>/dev/null
        systemd-run --quiet --collect --unit={{_listener}} -p RuntimeMaxSec=20 systemd-socket-activate --accept --inetd $l true || exit 0
        for i in 1 2 3 4 5 6 7 8 9 10; do ss -H -ltn | grep -q ":${l##* } " && { echo listening; exit 0; }; sleep 0.1; done
        """;

    public const string EndListening = $"systemctl stop {_listener} 2>/dev/null || true";

    /// <summary>
    /// How often a port that is silent for 2 s is tried: where a machine was replaced under its address, its peers send to the old one's link address until they have
    /// found out (5 s and three probes).
    /// </summary>
    public const int Knocks = 5;

    /// <summary>"ADDRESS PORT open|refused|silent" for each.</summary>
    public static string Reach(IEnumerable<PortNeed> needs) => string.Join('\n', needs.Select(n =>
        $"( for i in $(seq {Knocks}); do timeout 2 bash -c ': </dev/tcp/{n.To.Address}/{n.Port}' 2>/dev/null; case $? in 0) s=open; break;; 124) s=silent;; *) s=refused; break;; esac; done; echo \"{n.Key} $s\" ) &")) + "\nwait";
}
