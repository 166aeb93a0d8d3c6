using Hardway.Hosting;
using Hardway.Lab.Host;
using Hardway.Provisioning.Ssh;

namespace Hardway.Lab.CommandLine;

/// <summary>`hardway ssh MACHINE [COMMAND...]`: the OpenSSH client with the cluster's key (or the lab's, before there is a cluster) and the host keys it knows.</summary>
internal static class SshCommand
{
    public static Task<int> RunAsync(JumpboxSession session, string machine, string[] command, CancellationToken stop)
    {
        var machines = session.Machines(null);
        var target = machines.Machines.FirstOrDefault(m => m.HostName == machine || m.Fqdn == machine)
            ?? throw new ComponentException($"there is no machine '{machine}'; there are {string.Join(", ", machines.Machines.Select(m => m.HostName))}");
        var cluster = new SshPaths(session.ClusterDirectory);
        List<string> arguments = ["-F", "none", "-o", "IdentitiesOnly=yes", "-o", $"UserKnownHostsFile={cluster.KnownHosts} {session.Paths.KnownHosts}", "-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=10", "-o", "LogLevel=ERROR"];
        foreach (var key in new[] { cluster.Key, session.Paths.SshKey }.Where(File.Exists)) arguments.AddRange(["-i", key]);
        // As `up` logs in: root, or a user with sudo.
        arguments.Add($"{session.Access.User}@{target.Address}");
        return HostCommand.InteractiveAsync("ssh", [.. arguments, .. command], new Dictionary<string, string>(), stop);
    }
}
