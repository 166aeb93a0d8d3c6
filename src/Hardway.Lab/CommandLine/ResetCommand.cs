using Hardway.Hosting;
using Hardway.Provisioning;

namespace Hardway.Lab.CommandLine;

/// <summary>`hardway reset`: machines that exist go back to what they were before `up`, and each proves that nothing is left: files, units, rules, routes, namespaces, mounts.</summary>
internal static class ResetCommand
{
    public static async Task<int> RunAsync(JumpboxSession session, bool yes, OutputFormat format, CancellationToken stop)
    {
        if (!yes) throw new ComponentException("this deletes the cluster with all its data on every machine: say --yes");
        using var only = LabLock.TakeCluster(session.Paths);
        await using (var provisioner = new Provisioner(session.Kept()))
        {
            var results = await provisioner.ResetAsync(stop);
            foreach (var result in results)
            {
                Console.WriteLine(format == OutputFormat.Json
                    ? JsonText.Write(w => { w.WriteString("machine", result.Machine); w.WriteBoolean("clean", result.Left.Count == 0); JsonText.Strings(w, "left", result.Left); })
                    : $"{result.Machine,-12}{(result.Left.Count == 0 ? "nothing is left" : "LEFT: " + string.Join("; ", result.Left))}");
            }
            if (results.Any(r => r.Left.Count > 0)) throw new ComponentException("something is left (above); run it again");
        }
        Provisioner.RemoveJumpboxHosts();
        Directory.Delete(session.ClusterDirectory, recursive: true);
        return ExitCodes.Done;
    }
}
