using System.Text;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Doctor;

/// <summary>
/// Everything that is asked of a machine, as one bash script: it changes nothing but a folder of its own below /run while it runs, and tells no secret (of secret files a hash, of key pairs the public half).
/// </summary>
internal static class MachineQuestions
{
    private static readonly (string Key, string Command)[] _ofAll =
    [
        ("hostname", "hostname"),
        ("hosts", "cat /etc/hosts"),
        ("routes", "ip -4 route show"),
        ("swaps", "tail -n +2 /proc/swaps"),
        ("disks", "for p in / /etc /var/log /var/lib /var/lib/etcd /var/lib/kubelet /var/lib/containerd /var/lib/kubernetes /tmp; do [ -d $p ] && df -P $p | tail -n 1; done | sort -u"),
    ];

    private static readonly (string Key, string Command)[] _ofServers =
    [
        ("encryption", "sha256sum </var/lib/kubernetes/encryption-config.yaml | cut -c1-16"),
        ("account-key", "openssl pkey -in /var/lib/kubernetes/service-accounts.key -pubout | sha256sum | cut -c1-16"),
        ("account-certificate", "openssl x509 -in /var/lib/kubernetes/service-accounts.crt -noout -pubkey | sha256sum | cut -c1-16"),
        ("scheduler", "cat /etc/kubernetes/config/kube-scheduler.yaml"),
    ];

    private static readonly (string Key, string Command)[] _ofNodes =
    [
        ("forward", "cat /proc/sys/net/ipv4/ip_forward"),
        ("bridge-nf", "cat /proc/sys/net/bridge/bridge-nf-call-iptables"),
        ("kubelet", "cat /var/lib/kubelet/kubelet-config.yaml"),
        ("kubelet-ca", "cat /var/lib/kubelet/ca.crt"),
        ("kubelet-user", "sed -n 's/.*client-certificate-data: *//p' /var/lib/kubelet/kubeconfig"),
        ("containerd", "cat /etc/containerd/config.toml"),
        ("cni", "grep -l '\"bridge\"' /etc/cni/net.d/*.conf /etc/cni/net.d/*.conflist"),
        ("cni-subnet", "grep -ho '\"subnet\": *\"[^\"]*\"' /etc/cni/net.d/*.conflist | cut -d'\"' -f4"),
        ("iptables", "iptables -V"),
        ("legacy-rules", "iptables-legacy-save | grep '^-A' | head -n 3"),
    ];

    public static IReadOnlyList<string> UnitsOf(MachineRole role) => role switch
    {
        MachineRole.LoadBalancer => ["haproxy", "hardway-pod-routes"],
        MachineRole.Server => ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "hardway-pod-routes"],
        _ => ["containerd", "kubelet", "kube-proxy", "hardway-masquerade", "hardway-pod-routes"],
    };

    public static string Render(ClusterModel cluster, Machine machine)
    {
        var script = new StringBuilder("export LC_ALL=C\nd=$(mktemp -d /run/hardway-doctor.XXXXXX) || exit 1\ntrap 'rm -rf $d' EXIT\n"
            // Each answer has a file of its own: what several write to one pipe is mixed up as soon as it is longer than a page.
            + "fact() { printf '%s %s\\n' \"$1\" \"$(bash -c \"$2\" 2>/dev/null </dev/null | head -c 200000 | base64 -w 0)\" >$d/$1; }\n");
        var other = cluster.Machines.Machines.First(m => m != machine).Address;
        List<(string Key, string Command)> questions =
        [
            .. _ofAll,
            ("mtu", $"ip -o link show dev $(ip -4 -o route get {other} | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p') | sed -n 's/.* mtu \\([0-9]*\\).*/\\1/p'"),
            ("units", $"systemctl show -p Id -p ActiveState -p UnitFileState -p LimitNOFILE -p ExecStart {string.Join(' ', UnitsOf(machine.Role).Select(u => u + ".service"))}"),
            ("ports", Ports(cluster, machine)),
            .. machine.Role switch
            {
                MachineRole.LoadBalancer => [("haproxy", "cat /etc/haproxy/haproxy.cfg")],
                MachineRole.Server => _ofServers,
                _ => _ofNodes,
            },
        ];
        foreach (var (key, command) in questions)
        {
            // All at once: a machine with a slow disk or a silent peer answers after its slowest question.
            script.Append("fact ").Append(key).Append(' ').Append(Ssh.SshMachine.Quote(command)).Append(" &\n");
        }

        return script.Append("wait\ncat $d/*\n").ToString();
    }

    /// <summary>From the very peer that needs them: "ADDRESS PORT open|refused|silent" for each port.</summary>
    private static string Ports(ClusterModel cluster, Machine machine)
    {
        var wanted = machine.Role switch
        {
            MachineRole.LoadBalancer => cluster.Machines.Servers.Select(s => (s.Address, Port: ClusterAddresses.ApiPort)),
            MachineRole.Server => cluster.Machines.Nodes.Select(n => (n.Address, Port: Cluster.TlsEndpoints.Kubelet))
                .Concat(cluster.Machines.Servers.Where(s => s != machine).SelectMany(s => ((int[])[Cluster.TlsEndpoints.Etcd, Cluster.TlsEndpoints.EtcdPeer]).Select(p => (s.Address, Port: p)))),
            _ => [(cluster.Machines.Endpoint.Address, Port: ClusterAddresses.ApiPort)],
        };
        return string.Join('\n', wanted.Select(w =>
            $"( timeout 2 bash -c ': </dev/tcp/{w.Address}/{w.Port}' 2>/dev/null; case $? in 0) s=open;; 124) s=silent;; *) s=refused;; esac; echo \"{w.Address} {w.Port} $s\" ) &")) + "\nwait";
    }
}
