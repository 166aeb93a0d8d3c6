using Hardway.Lab.Host;

namespace Hardway.Lab.CommandLine;

/// <summary>`hardway ssh MACHINE [COMMAND...]`: the OpenSSH client with the jumpbox's key and the host keys it knows.</summary>
internal static class SshCommand
{
    public static Task<int> RunAsync(JumpboxSession session, string machine, string[] command, CancellationToken stop)
    {
        var target = session.Plan.Find(machine);
        string[] arguments =
        [
            "-i", session.Paths.SshKey, "-o", "IdentitiesOnly=yes", "-o", "UserKnownHostsFile=" + session.Paths.KnownHosts, "-o", "StrictHostKeyChecking=yes",
            "-o", "ConnectTimeout=10", "-o", "LogLevel=ERROR", "root@" + target.Address, .. command,
        ];
        return HostCommand.InteractiveAsync("ssh", arguments, new Dictionary<string, string>(), stop);
    }
}
