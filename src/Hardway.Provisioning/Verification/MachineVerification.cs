using Hardway.Hosting;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Verification;

/// <summary>Module 1: names, ways between the machines, and who may log in.</summary>
internal sealed class MachineVerification(ClusterModel cluster, VerificationRun run)
{
    public Task RunAsync() => Task.WhenAll(cluster.Machines.Machines.SelectMany(m => (Task[])
    [
        run.LookAsync(Module.Provisioning, $"names on {m}", $"{m.HostName} {m.Fqdn}; every machine's name leads to its own address, once", token => NamesAsync(m, token)),
        run.LookAsync(Module.Provisioning, $"ways from {m}", $"a packet to each of the other {cluster.Machines.Machines.Count - 1} machines, by name, comes back", token => WaysAsync(m, token)),
        run.LookAsync(Module.Provisioning, $"log-in on {m}", "the cluster's key opens it; root never logs in with a password", token => LogInAsync(m, token)),
    ]));

    private async Task<Sight> NamesAsync(Machine machine, CancellationToken cancellation)
    {
        var names = string.Join(' ', cluster.Machines.Machines.Select(m => m.HostName));
        var result = await cluster.SshTo(machine).RunAsync(
            "verify",
            $"echo \"$(hostname) $(hostname -f)\"; for n in {names}; do echo \"$n $(getent ahostsv4 $n | awk '$2 == \"STREAM\" {{ printf \"%s \", $1 }}') $(grep -cw -- \"$n\" /etc/hosts)\"; done",
            cancellation).ConfigureAwait(false);
        var lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines[0] != $"{machine.HostName} {machine.Fqdn}")
        {
            throw new ComponentException($"it calls itself {lines[0]}");
        }

        foreach (var (line, other) in lines.Skip(1).Zip(cluster.Machines.Machines))
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is not [var name, var address, "1"] || address != other.Address.ToString())
            {
                throw new ComponentException($"{other} is to be {other.Address} by one line of /etc/hosts; seen (name, addresses, lines): {line}");
            }
        }

        return $"{lines[0]}; {lines.Length - 1} names lead to their addresses";
    }

    private async Task<Sight> WaysAsync(Machine machine, CancellationToken cancellation)
    {
        var others = string.Join(' ', cluster.Machines.Machines.Where(m => m != machine).Select(m => m.HostName));
        var result = await cluster.SshTo(machine).RunAsync(
            "verify",
            $"for n in {others}; do ( r=$(ping -n -c 1 -W 2 $n 2>&1 | sed -n 's/.*time=\\([0-9.]*\\) ms.*/\\1/p'); echo \"$n ${{r:-no}}\" ) & done; wait",
            cancellation).ConfigureAwait(false);
        var answers = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order().ToList();
        var silent = answers.Where(a => a.EndsWith(" no", StringComparison.Ordinal)).Select(a => a[..^3]).ToList();
        return silent.Count > 0
            ? throw new ComponentException($"no answer from {string.Join(", ", silent)}")
            : string.Join(", ", answers.Select(a => a + " ms"));
    }

    private async Task<Sight> LogInAsync(Machine machine, CancellationToken cancellation)
    {
        var ssh = cluster.SshTo(machine);
        var login = await ssh.LogInAsync(cluster.SshPaths.Key, cancellation).ConfigureAwait(false);
        if (!login.Succeeded)
        {
            throw new ComponentException($"the cluster's key does not open it: {login.Reason}");
        }

        var sshd = await ssh.RunAsync("verify", "mkdir -p /run/sshd; $(command -v sshd || echo /usr/sbin/sshd) -T 2>/dev/null | grep -i '^permitrootlogin'", cancellation).ConfigureAwait(false);
        var permit = sshd.Output.Trim().ToLowerInvariant();
        return permit == "permitrootlogin yes"
            ? throw new ComponentException("sshd has PermitRootLogin yes: root may log in with a password")
            : $"log-in with {Path.GetFileName(cluster.SshPaths.Key)}; sshd says {permit}";
    }
}
