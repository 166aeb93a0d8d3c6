using Hardway.Api.Core.V1;
using Hardway.Client;
using Hardway.Hosting;
using Hardway.Scheduler.Configuration;
using Hardway.Scheduler.State;
using Microsoft.Extensions.Logging;

namespace Hardway.Scheduler.Explain;

/// <summary>
/// Explains a Pod's place from the API alone: reads what a scheduler reads, by the same informers, and asks the same plugins. Writes nothing.
/// </summary>
public static class PodExplainer
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    /// <param name="client">Any cluster.</param>
    /// <param name="ns">The Pod's namespace.</param>
    /// <param name="name">The Pod's name.</param>
    /// <param name="configFile">The scheduler's configuration; empty: upstream's defaults.</param>
    /// <param name="logs">For what goes wrong while reading.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<PodExplanation> ExplainAsync(KubeClient client, string ns, string name, string configFile, ILoggerFactory logs, CancellationToken cancellationToken)
    {
        var pod = await client.TryGetAsync<Pod>(ns, name, cancellationToken).ConfigureAwait(false) ?? throw new ComponentException($"there is no Pod {ns}/{name}");
        var config = configFile.Length > 0 ? SchedulerConfigReader.Load(configFile) : new SchedulerConfig();
        var profile = config.Profiles.FirstOrDefault(p => p.SchedulerName == pod.Spec.SchedulerName)
            ?? throw new ComponentException($"Pod {ns}/{name} asks for scheduler {pod.Spec.SchedulerName}, which is none of {string.Join(", ", config.Profiles.Select(p => p.SchedulerName))}: name the configuration that has it with --config");
        var watch = new ClusterWatch(client, logs);
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = watch.RunAsync(reading.Token);
        try
        {
            await watch.WaitForSyncAsync(cancellationToken).WaitAsync(s_patience, client.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new ComponentException($"the cluster could not be read within {s_patience.TotalSeconds:F0} s; is the user allowed to list what a scheduler lists?", e);
        }
        finally
        {
            await reading.CancelAsync().ConfigureAwait(false);
            await running.ConfigureAwait(false);
        }

        return Explain(pod, profile, watch);
    }

    private static PodExplanation Explain(Pod pod, ProfileConfig config, ClusterWatch watch)
    {
        var state = new ClusterState(watch);
        lock (state.Lock)
        {
            foreach (var node in watch.Nodes.Store.List())
            {
                state.SetNode(node);
            }

            foreach (var other in watch.Pods.Store.List().Where(p => p.Metadata.Uid != pod.Metadata.Uid))
            {
                if (other.Spec.NodeName.Length > 0)
                {
                    state.SetPod(new PodInfo(other));
                }
                else if (other.Status.NominatedNodeName is { Length: > 0 } nominated)
                {
                    state.Nominated.Set(new PodInfo(other), nominated);
                }
            }

            var bound = pod.Spec.NodeName.Length > 0 ? pod.Spec.NodeName : null;
            var asNew = (Pod)pod.DeepClone();
            asNew.Spec.NodeName = "";
            var profile = PluginTable.Make(config, NothingWritten.Services());
            return new Explanation(profile, new PodInfo(asNew), state).Explain(bound);
        }
    }
}
