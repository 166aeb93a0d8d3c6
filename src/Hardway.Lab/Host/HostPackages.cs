using Hardway.Hosting;

namespace Hardway.Lab.Host;

/// <summary>
/// Installs the Debian packages whose programs the host lacks, and starts none of their services: while apt runs, policy-rc.d forbids it; what
/// was at that path before is put back afterwards, also after a run that was killed in between.
/// </summary>
internal sealed class HostPackages(Action<string> say, string policyFile = "/usr/sbin/policy-rc.d")
{
    /// <summary>What is looked for (a program, or a rooted path) and the package that has it.</summary>
    public static readonly IReadOnlyList<(string File, string Package)> ForLab =
    [
        ("systemd-nspawn", "systemd-container"), ("mmdebstrap", "mmdebstrap"), ("/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring"),
        ("ip", "iproute2"), ("nft", "nftables"), ("iptables", "iptables"), ("ssh", "openssh-client"), ("nsenter", "util-linux"), ("mount", "mount"),
    ];

    /// <summary>What the tests use of the host besides the lab: a real etcd and containerd, the firewall's and the network's programs, an independent TLS.</summary>
    public static readonly IReadOnlyList<(string File, string Package)> ForTests =
    [
        .. ForLab, ("etcd", "etcd-server"), ("etcdctl", "etcd-client"), ("conntrack", "conntrack"), ("openssl", "openssl"), ("busybox", "busybox-static"), ("curl", "curl"),
        ("containerd", "containerd"), ("runc", "runc"),
    ];

    /// <summary>Asked for by `kubectl` only, and only when there is none on PATH.</summary>
    public static readonly IReadOnlyList<(string File, string Package)> ForKubectl = [("kubectl", "kubernetes-client")];

    private string Saved => policyFile + ".before-hardway";

    public static IReadOnlyList<string> Missing(IReadOnlyList<(string File, string Package)> wanted) =>
        [.. wanted.Where(w => Path.IsPathRooted(w.File) ? !File.Exists(w.File) : HostCommand.Find(w.File) is null).Select(w => w.Package).Distinct()];

    public async Task EnsureAsync(IReadOnlyList<(string File, string Package)> wanted, CancellationToken cancellation)
    {
        PutPolicyBack();
        var missing = Missing(wanted);
        if (missing.Count == 0) return;
        if (HostCommand.Find("apt-get") is null)
            throw new ComponentException($"this host lacks {string.Join(", ", missing)} and has no apt-get to get them with; install them and run this again");
        if (Environment.UserName != "root") throw new ComponentException($"the packages {string.Join(", ", missing)} are missing and only root can install them");
        say($"installing packages of the host's own sources: {string.Join(' ', missing)}");
        ForbidServices();
        try
        {
            await InstallAsync(missing, cancellation);
        }
        finally
        {
            PutPolicyBack();
        }
        if (Missing(wanted) is { Count: > 0 } still) throw new ComponentException($"after apt-get install these are still missing: {string.Join(", ", still)}");
    }

    private static async Task InstallAsync(IReadOnlyList<string> packages, CancellationToken cancellation)
    {
        var environment = new Dictionary<string, string> { ["DEBIAN_FRONTEND"] = "noninteractive" };
        string[] arguments = ["install", "--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", .. packages];
        var first = await HostCommand.TryAsync("apt-get", arguments, cancellation, environment: environment);
        if (first.ExitCode == 0) return;
        await HostCommand.RunAsync("apt-get", ["update", "-o", "DPkg::Lock::Timeout=120"], cancellation, environment: environment);
        await HostCommand.RunAsync("apt-get", arguments, cancellation, environment: environment);
    }

    private void ForbidServices()
    {
        if (File.Exists(policyFile)) File.Move(policyFile, Saved);
        File.WriteAllText(policyFile, "#!/bin/sh\n# Written by hardway while it installs packages: no service is started on this host.\nexit 101\n");
        File.SetUnixFileMode(policyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
    }

    private void PutPolicyBack()
    {
        if (File.Exists(policyFile) && File.ReadAllText(policyFile).Contains("Written by hardway", StringComparison.Ordinal)) File.Delete(policyFile);
        if (File.Exists(Saved)) File.Move(Saved, policyFile, overwrite: true);
    }
}
