using Hardway.Client;
using Hardway.Hosting;
using Hardway.Scheduler.Explain;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hardway.Lab.CommandLine;

/// <summary>`hardway explain pod NAME`: what every filter and score of the scheduler says of every node. Ends with 3 when no node fits.</summary>
internal static class ExplainCommand
{
    public static async Task<int> PodAsync(JumpboxSession session, string name, string ns, string? kubeconfig, string? config, OutputFormat format, CancellationToken stop)
    {
        var file = kubeconfig ?? session.Paths.AdminKubeconfig;
        if (!File.Exists(file))
            throw new ComponentException(kubeconfig is null ? $"there is no cluster yet: {file} does not exist. Run: hardway up, or name another cluster with --kubeconfig" : $"{file} does not exist");
        using var client = new KubeClient(KubeConfig.Load(file), "hardway", session.Time);
        var explanation = await PodExplainer.ExplainAsync(client, ns, name, config ?? "", NullLoggerFactory.Instance, stop);
        ExplanationView.Write(explanation, format, Console.Out);
        return explanation.Nodes.Any(n => n.Fits) ? 0 : 3;
    }
}
