using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Remote;
using Hardway.Provisioning.Ssh;

namespace Hardway.Provisioning.Reset;

/// <summary>What is left on a machine after it was reset; nothing, when all is well.</summary>
public sealed record ResetResult(string Machine, IReadOnlyList<string> Left);

/// <summary>Brings machines back, all at once, and proves it. The cluster's key goes last, and only where nothing else is left.</summary>
internal static class ClusterReset
{
    public static Task<ResetResult[]> RunAsync(ClusterModel cluster, IReadOnlyList<Machine> machines, ILookup<string, RemoteStep> steps, CancellationToken cancellation)
        => Task.WhenAll(machines.Select(m => RunAsync(cluster, m, [.. steps[m.HostName]], cancellation)));

    private static async Task<ResetResult> RunAsync(ClusterModel cluster, Machine machine, IReadOnlyList<RemoteStep> steps, CancellationToken cancellation)
    {
        var ssh = cluster.SshTo(machine);
        await ssh.RunAsync("reset", MachineReset.Clean(cluster, machine, steps), cancellation, limit: TimeSpan.FromMinutes(2)).ConfigureAwait(false);
        var look = await ssh.RunAsync("reset", MachineReset.Look(cluster, machine, steps), cancellation).ConfigureAwait(false);
        var left = look.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (left.Length == 0)
        {
            var key = SshMachine.Quote(File.ReadAllText(cluster.SshPaths.Key + ".pub").Trim());
            var user = cluster.Options.Ssh.User;
            await ssh.RunAsync("reset", $"f=$(getent passwd {SshMachine.Quote(user)} | cut -d: -f6)/.ssh/authorized_keys; grep -vxF {key} \"$f\" >\"$f.new\"; cat \"$f.new\" >\"$f\"; rm -f \"$f.new\"", cancellation).ConfigureAwait(false);
        }

        return new ResetResult(machine.HostName, left);
    }
}
