using Hardway.Hosting;
using Hardway.Lab.Host;

namespace Hardway.Lab.CommandLine;

/// <summary>`hardway kubectl ...`: the kubectl on PATH, or that of the Debian package, with the cluster's admin kubeconfig.</summary>
internal static class KubectlCommand
{
    public static async Task<int> RunAsync(JumpboxSession session, string[] arguments, CancellationToken stop)
    {
        var kubeconfig = session.Paths.AdminKubeconfig;
        if (!File.Exists(kubeconfig)) throw new ComponentException($"there is no cluster yet: {kubeconfig} does not exist. Run: hardway up");
        if (HostPackages.Missing(HostPackages.ForKubectl).Count > 0)
        {
            await Console.Error.WriteLineAsync("hardway: there is no kubectl on PATH; Debian 12's package has version 1.20, which is much older than this cluster: put kubectl 1.32 or newer on PATH and it will be used");
            await new HostPackages(Console.Error.WriteLine).EnsureAsync(HostPackages.ForKubectl, stop);
        }
        return await HostCommand.InteractiveAsync("kubectl", arguments, new Dictionary<string, string> { ["KUBECONFIG"] = kubeconfig }, stop);
    }
}
