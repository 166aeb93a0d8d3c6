using System.Security.Cryptography;
using System.Text;
using Hardway.Lab.Host;

namespace Hardway.Lab.Machines;

/// <summary>
/// The machine image: a Debian 12 tree with the programs a cluster needs installed and none of their services enabled, as a cloud's image would have.
/// Made once for one content key (packages and what <see cref="CustomiseAsync"/> writes); never written to afterwards, since every machine's overlay lies on it.
/// </summary>
internal sealed class BaseTree(LabPaths paths, Action<string> say)
{
    private static readonly string[] Packages =
    [
        "systemd", "systemd-sysv", "dbus", "openssh-server", "iproute2", "iputils-ping", "iptables", "nftables", "conntrack", "ethtool", "socat", "curl",
        "ca-certificates", "procps", "kmod", "etcd-server", "etcd-client", "containerd", "runc", "containernetworking-plugins", "haproxy", "sudo", "tar",
        "netbase", "less", "openssl", "libstdc++6",
    ];

    /// <summary>Enabled by their packages; a machine image has them off until somebody provisions it, and needs no housekeeping timers.</summary>
    private static readonly string[] DisabledUnits =
    [
        "containerd.service", "etcd.service", "haproxy.service", "nftables.service", "e2scrub_reap.service", "apt-daily.timer", "apt-daily-upgrade.timer",
        "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer", "systemd-pstore.service",
    ];

    private const string BootUnit = """
        [Unit]
        Description=Make this guest a machine to Kubernetes: writable cgroup controllers, shared mounts, /dev/kmsg
        DefaultDependencies=no
        After=local-fs-pre.target
        Before=sysinit.target
        ConditionVirtualization=container

        [Service]
        Type=oneshot
        RemainAfterExit=yes
        ExecStart=/usr/local/sbin/hardway-machine

        [Install]
        WantedBy=sysinit.target

        """;

    private const string BootScript = """
        #!/bin/sh
        # A container's image manager would leave these as they are: nspawn mounts cgroup v1 controllers read-only, makes / a slave and has no kernel log.
        mount --make-rshared /
        [ -e /dev/kmsg ] || mknod -m 600 /dev/kmsg c 1 11
        for controller in /sys/fs/cgroup/*; do
            if [ -e "$controller/cgroup.procs" ] && mountpoint -q "$controller"; then
                mount -o remount,rw,bind "$controller" || exit 1
            fi
        done

        """;

    public static string Key { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\n', [DebianTree.Release, .. Packages, .. DisabledUnits, BootUnit, BootScript]))))[..12];

    public string Path { get; } = System.IO.Path.Combine(paths.Base, $"{DebianTree.Release}-{Key}");

    public bool Exists => Directory.Exists(Path);

    public async Task EnsureAsync(CancellationToken cancellation)
    {
        if (Exists) return;
        await new DebianTree(say).MakeAsync(Path, "minbase", Packages, CustomiseAsync, cancellation);
    }

    private static async Task CustomiseAsync(string tree, CancellationToken cancellation)
    {
        string In(string path) => System.IO.Path.Combine(tree, path);
        await File.WriteAllTextAsync(In("etc/systemd/system/hardway-machine.service"), BootUnit, cancellation);
        await File.WriteAllTextAsync(In("usr/local/sbin/hardway-machine"), BootScript, cancellation);
        File.SetUnixFileMode(In("usr/local/sbin/hardway-machine"), (UnixFileMode)Convert.ToInt32("755", 8));
        await HostCommand.RunAsync("chroot", [tree, "systemctl", "enable", "hardway-machine.service"], cancellation);
        await HostCommand.RunAsync("chroot", [tree, "systemctl", "disable", .. DisabledUnits], cancellation);
        // A login on the console nobody has.
        await HostCommand.RunAsync("chroot", [tree, "systemctl", "mask", "console-getty.service", "getty@.service"], cancellation);
        // mmdebstrap copies this host's file with its mode.
        File.Delete(In("etc/hostname"));
        await File.WriteAllTextAsync(In("etc/hostname"), "debian\n", cancellation);
        await File.WriteAllTextAsync(In("etc/machine-id"), "", cancellation);
        File.Delete(In("etc/resolv.conf"));
        // Identity is made at the first start, not shared by all machines.
        foreach (var key in Directory.GetFiles(In("etc/ssh"), "ssh_host_*")) File.Delete(key);
        foreach (var folder in new[] { "var/lib/containerd", "var/lib/kubelet", "var/lib/etcd", "etc/kubernetes" }) Directory.CreateDirectory(In(folder));
    }
}
