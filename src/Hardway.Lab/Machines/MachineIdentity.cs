using System.Net;
using System.Net.Sockets;
using Hardway.Lab.Host;

namespace Hardway.Lab.Machines;

/// <summary>
/// What a cloud gives a machine besides its image: the SSH key its owner may log in with, host keys of its own, and the name servers of the network.
/// Written into the overlay's upper folder before the machine starts for the first time.
/// </summary>
internal sealed class MachineIdentity(LabPaths paths)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerFolder = OwnerOnly | UnixFileMode.UserExecute;

    /// <summary>The jumpbox's key, made once.</summary>
    public async Task EnsureJumpboxKeyAsync(CancellationToken cancellation)
    {
        if (File.Exists(paths.SshKey) && File.Exists(paths.SshKey + ".pub")) return;
        Directory.CreateDirectory(Path.GetDirectoryName(paths.SshKey)!, OwnerFolder);
        File.Delete(paths.SshKey);
        await HostCommand.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "hardway-jumpbox", "-f", paths.SshKey], cancellation);
    }

    public async Task EnsureAsync(string upper, CancellationToken cancellation)
    {
        var home = Path.Combine(upper, "root");
        var authorized = Path.Combine(home, ".ssh", "authorized_keys");
        Directory.CreateDirectory(home, OwnerFolder);
        Directory.CreateDirectory(Path.GetDirectoryName(authorized)!, OwnerFolder);
        if (!File.Exists(authorized))
        {
            File.Copy(paths.SshKey + ".pub", authorized);
            File.SetUnixFileMode(authorized, OwnerOnly);
        }
        var hostKey = HostKey(upper);
        Directory.CreateDirectory(Path.GetDirectoryName(hostKey)!);
        if (!File.Exists(hostKey)) await HostCommand.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", hostKey], cancellation);
        var resolv = Path.Combine(upper, "etc", "resolv.conf");
        if (!File.Exists(resolv)) await File.WriteAllTextAsync(resolv, NameServers(), cancellation);
    }

    /// <summary>
    /// known_hosts of the lab: the lab made the host keys, so nobody has to trust them on first use. Lines of machines that are there and not named (of a database
    /// that leaves them out) stay.
    /// </summary>
    public async Task WriteKnownHostsAsync(IEnumerable<(LabMachine Machine, string Upper)> machines, CancellationToken cancellation)
    {
        var lines = new List<string>();
        var named = new HashSet<string>();
        foreach (var (machine, upper) in machines)
        {
            named.Add(machine.Name);
            var key = (await File.ReadAllTextAsync(HostKey(upper) + ".pub", cancellation)).Split(' ');
            lines.Add($"{machine.Address},{machine.Name},{machine.Name}.kubernetes.local {key[0]} {key[1].Trim()}");
        }
        if (File.Exists(paths.KnownHosts))
            lines.AddRange((await File.ReadAllLinesAsync(paths.KnownHosts, cancellation)).Where(l => l.Split(',') is [_, var name, ..] && !named.Contains(name) && Directory.Exists(paths.MachineFolder(name))));
        await File.WriteAllLinesAsync(paths.KnownHosts + ".new", lines, cancellation);
        File.Move(paths.KnownHosts + ".new", paths.KnownHosts, overwrite: true);
    }

    private static string HostKey(string upper) => Path.Combine(upper, "etc", "ssh", "ssh_host_ed25519_key");

    /// <summary>The host's name servers, except those that only the host itself can reach.</summary>
    private static string NameServers()
    {
        foreach (var file in new[] { "/etc/resolv.conf", "/run/systemd/resolve/resolv.conf" })
        {
            if (!File.Exists(file)) continue;
            var servers = File.ReadLines(file).Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(w => w is ["nameserver", ..])
                .Select(w => w[1]).Where(a => IPAddress.TryParse(a, out var ip) && !IPAddress.IsLoopback(ip) && ip.AddressFamily == AddressFamily.InterNetwork).Take(3).ToList();
            if (servers.Count > 0) return string.Concat(servers.Select(s => $"nameserver {s}\n"));
        }
        return "# the host has no name server that a machine could reach\n";
    }
}
