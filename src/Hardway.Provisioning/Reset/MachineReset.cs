using System.Text;
using Hardway.Provisioning.Compute;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Remote;
using Hardway.Provisioning.Ssh;

namespace Hardway.Provisioning.Reset;

/// <summary>
/// The two bash scripts that bring a machine back: one takes away everything that steps made and that programs made since (containers, namespaces, mounts, rules, routes, data);
/// one lists what is left of it. Packages and the machine's name stay: they are the machine's own.
/// </summary>
internal static class MachineReset
{
    /// <summary>What the programs keep. The folders themselves may be mounts, so they are emptied.</summary>
    private static readonly string[] _data = ["/var/lib/etcd", "/var/lib/kubelet", "/var/lib/containerd", "/var/lib/cni", "/var/lib/hardway"];

    private static readonly string[] _tables = ["ip kube-proxy", "ip6 kube-proxy", "inet hardway-network-policy", "ip hardway-masquerade"];

    private static readonly string[] _names = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"];

    private static readonly string[] _folders = ["/var/lib/kubernetes", "/var/lib/kube-proxy", "/etc/kubernetes", "/etc/etcd", "/etc/hardway", "/run/hardway"];

    public static string Clean(ClusterModel cluster, Machine machine, IReadOnlyList<RemoteStep> steps)
    {
        var script = new StringBuilder("set -u\nexport LC_ALL=C\n");
        script.Append("systemctl disable --quiet --now kubelet kube-proxy 2>/dev/null\n").Append(Containers);
        foreach (var step in steps.Reverse())
        {
            // The name stays, and the lookup table goes last, with the key.
            if (step is not HostNamesStep)
            {
                script.Append("(\n").Append(UndoScript.Render(step.Name, step.State)).Append(")\n");
            }
        }

        script.Append("grep -o ' /\\(var/lib/kubelet\\|run/containerd\\|run/netns/cni\\)[^ ]*' /proc/mounts | sort -r | while read -r m; do case $m in /var/lib/kubelet) ;; *) umount -l \"$m\";; esac; done 2>/dev/null\n");
        script.Append("for n in $(ip netns 2>/dev/null | sed -n 's/^\\(cni-[^ ]*\\).*/\\1/p'); do ip netns delete $n; done\nip link delete cni0 2>/dev/null\n");
        script.AppendJoin("", _tables.Select(t => $"nft delete table {t} 2>/dev/null\n"));
        script.AppendJoin("", cluster.Machines.Nodes.Where(n => n != machine).Select(n => $"ip route delete {n.PodSubnet} via {n.Address} 2>/dev/null\n"));
        script.AppendJoin("", _data.Select(d => $"[ ! -d {d} ] || find {d} -xdev -mindepth 1 -delete\n"));
        script.Append("rm -rf ").AppendJoin(' ', _folders).Append(' ').AppendJoin(' ', _names.Select(n => "/usr/local/bin/" + n)).Append(" /var/log/audit.log*\n");
        script.Append("rmdir /var/lib/hardway 2>/dev/null\n[ ! -e /proc/sys/net/ipv4/ip_forward ] || echo 0 >/proc/sys/net/ipv4/ip_forward\nsysctl -q --system >/dev/null 2>&1\n");
        script.Append($"sed '/^{HostTable.Begin}$/,/^{HostTable.End}$/d' /etc/hosts >/etc/hosts.hardway-new && cat /etc/hosts.hardway-new >/etc/hosts; rm -f /etc/hosts.hardway-new\n");
        return script.Append("systemctl daemon-reload\nsystemctl reset-failed 2>/dev/null\ntrue\n").ToString();
    }

    /// <summary>A line for each thing that is left; no line is the proof.</summary>
    public static string Look(ClusterModel cluster, Machine machine, IReadOnlyList<RemoteStep> steps)
    {
        var files = steps.Where(s => s is not HostNamesStep).SelectMany(s => s.State.Files).Select(f => f.Path).Concat(_folders).Concat(_names.Select(n => "/usr/local/bin/" + n)).Distinct();
        var units = steps.SelectMany(s => s.State.Units).Distinct();
        return $$"""
            export LC_ALL=C
            for f in {{string.Join(' ', files.Select(SshMachine.Quote))}}; do [ ! -e "$f" ] || echo "file $f"; done
            for u in {{string.Join(' ', units)}}; do case $(systemctl is-active $u) in active|activating) echo "unit $u runs";; esac; case $(systemctl is-enabled $u 2>/dev/null) in enabled) echo "unit $u is enabled";; esac; done
            for d in {{string.Join(' ', _data)}}; do [ ! -d $d ] || [ -z "$(ls -A $d)" ] || echo "data in $d: $(ls -A $d | head -n 3 | tr '\n' ' ')"; done
            for t in {{string.Join(' ', _tables.Select(SshMachine.Quote))}}; do ! nft list table $t >/dev/null 2>&1 || echo "rules: table $t"; done
            ip -4 route show | grep -E '^({{string.Join('|', cluster.Machines.Nodes.Where(n => n != machine).Select(n => n.PodSubnet.ToString()!.Replace(".", "\\.", StringComparison.Ordinal)))}}) ' | sed 's/^/route /'
            ip netns 2>/dev/null | grep '^cni-' | sed 's/^/namespace /'
            ! ip link show dev cni0 >/dev/null 2>&1 || echo 'link cni0'
            grep -o ' /\(var/lib/kubelet/\|run/containerd/\)[^ ]*' /proc/mounts | sed 's/^/mount/'
            for p in {{string.Join(' ', _names)}} etcd containerd-shim; do pgrep -x "${p:0:15}" >/dev/null && echo "process $p"; done
            grep -q '^{{HostTable.Begin}}$' /etc/hosts && echo 'lines in /etc/hosts'
            true
            """;
    }

    private const string Containers = """
        if systemctl is-active --quiet containerd; then
          for t in $(ctr -n k8s.io tasks ls -q 2>/dev/null); do ctr -n k8s.io tasks kill -s KILL $t 2>/dev/null; done
          for i in 1 2 3 4 5 6 7 8 9 10; do
            for t in $(ctr -n k8s.io tasks ls -q 2>/dev/null); do ctr -n k8s.io tasks rm -f $t >/dev/null 2>&1; done
            [ -n "$(ctr -n k8s.io tasks ls -q 2>/dev/null)" ] || break
            sleep 0.5
          done
          for c in $(ctr -n k8s.io containers ls -q 2>/dev/null); do ctr -n k8s.io containers rm $c >/dev/null 2>&1; done
        fi

        """;
}
