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
        await new HostPackages(Console.Error.WriteLine).EnsureAsync(HostPackages.ForKubectl, stop);
        return await HostCommand.InteractiveAsync("kubectl", arguments, new Dictionary<string, string> { ["KUBECONFIG"] = kubeconfig }, stop);
    }
}
