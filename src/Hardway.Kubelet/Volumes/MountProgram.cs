using System.ComponentModel;
using System.Diagnostics;

namespace Hardway.Kubelet.Volumes;

/// <summary>File systems whose mounting needs a program of their own (mount.nfs), by mount(8). What it prints is the message of the failure.</summary>
internal static class MountProgram
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    public static async Task MountAsync(string fileSystem, string source, string target, IReadOnlyList<string> options, CancellationToken stop)
    {
        if (fileSystem == "nfs" && !File.Exists("/sbin/mount.nfs"))
            throw new VolumeException("an NFS volume needs /sbin/mount.nfs on the node (the package nfs-common)");
        await RunAsync("mount", ["-t", fileSystem, .. options.Count > 0 ? (string[])["-o", string.Join(',', options)] : [], source, target], 0, stop);
    }

    /// <exception cref="VolumeException">The program failed, or is not there.</exception>
    public static async Task<string> RunAsync(string program, IReadOnlyList<string> arguments, int alsoGood, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Limit);
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return process.ExitCode == 0 || process.ExitCode == alsoGood ? output : throw new VolumeException($"{program} failed with {process.ExitCode}: {(await errors).Trim()}");
        }
        catch (Win32Exception e)
        {
            throw new VolumeException($"{program} cannot be run on this node: {e.Message}");
        }
    }
}
