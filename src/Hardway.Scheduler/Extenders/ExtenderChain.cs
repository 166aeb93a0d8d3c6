using System.Text.Json;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;
using Microsoft.Extensions.Logging;

namespace Hardway.Scheduler.Extenders;

/// <summary>The configured extenders, asked one after the other. One that is ignorable and fails is passed over, any other fails the attempt.</summary>
internal sealed partial class ExtenderChain(IReadOnlyList<HttpExtender> extenders, ILogger log) : IDisposable
{
    /// <summary>An extender's scores go to 10, the scheduler's to 100.</summary>
    private const long ScoreFactor = 10;

    public static ExtenderChain Create(IReadOnlyList<ExtenderConfig> configs, ILogger log)
    {
        foreach (var config in configs.Where(c => c.Tls?.Insecure == true))
        {
            Insecure(log, config.UrlPrefix);
        }

        return new([.. configs.Select(c => new HttpExtender(c))], log);
    }

    public void Dispose()
    {
        foreach (var extender in extenders)
        {
            extender.Dispose();
        }
    }

    public bool Interested(PodInfo pod)
    {
        foreach (var extender in extenders)
        {
            if (extender.Interested(pod))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What all extenders leave of the nodes, and their weighed scores. Refusals get the reasons.</summary>
    public async Task<(List<NodeInfo> Left, Dictionary<string, long> Scores)> AskAsync(PodInfo pod, List<NodeInfo> nodes, NodeRefusals refusals, CancellationToken cancel)
    {
        foreach (var extender in extenders.Where(e => e.Config.FilterVerb.Length > 0 && e.Interested(pod)))
        {
            nodes = nodes.Count == 0 ? nodes : await TryAsync(extender, () => FilterAsync(extender, pod, nodes, refusals, cancel), nodes).ConfigureAwait(false);
        }

        var scores = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var extender in extenders.Where(e => e.Config.PrioritizeVerb.Length > 0 && nodes.Count > 1 && e.Interested(pod)))
        {
            try
            {
                foreach (var (node, score) in await extender.PrioritizeAsync(pod, nodes, cancel).ConfigureAwait(false))
                {
                    scores[node] = scores.GetValueOrDefault(node) + (score * extender.Config.Weight * ScoreFactor);
                }
            }
            catch (Exception e) when (e is HttpRequestException or JsonException or InvalidOperationException)
            {
                PassedOver(log, extender.Config.UrlPrefix, e.Message); // scores are only wishes
            }
        }

        return (nodes, scores);
    }

    /// <summary>The first candidate that all extenders agree to; none when they refuse all.</summary>
    public async Task<PostFilterResult> PreemptAsync(PodInfo pod, PostFilterResult room, CancellationToken cancel)
    {
        var candidates = room.Candidates;
        foreach (var extender in extenders.Where(e => e.Config.PreemptVerb.Length > 0 && e.Interested(pod)))
        {
            candidates = candidates.Count == 0 ? candidates : await TryAsync(extender, () => NarrowAsync(extender, pod, candidates, cancel), candidates).ConfigureAwait(false);
        }

        return candidates.Count == 0 ? new PostFilterResult(null, [], "preemption: extenders refused all candidates.")
            : new PostFilterResult(candidates[0].Node, candidates[0].Victims, "") { Candidates = candidates };
    }

    /// <summary>True: an extender bound the Pod.</summary>
    public async Task<bool> BindAsync(PodInfo pod, string node, CancellationToken cancel)
    {
        foreach (var extender in extenders)
        {
            if (extender.Config.BindVerb.Length > 0 && extender.Interested(pod))
            {
                await extender.BindAsync(pod, node, cancel).ConfigureAwait(false);
                return true;
            }
        }

        return false;
    }

    private static async Task<List<NodeInfo>> FilterAsync(HttpExtender extender, PodInfo pod, List<NodeInfo> nodes, NodeRefusals refusals, CancellationToken cancel)
    {
        var (left, failed, hopeless) = await extender.FilterAsync(pod, nodes, cancel).ConfigureAwait(false);
        foreach (var node in nodes.Where(n => !left.Contains(n.Name)))
        {
            var final = hopeless.TryGetValue(node.Name, out var reason);
            reason ??= failed.GetValueOrDefault(node.Name, "refused by an extender");
            refusals.Add(node, new Refusal(final ? RefusalKind.UnschedulableAndUnresolvable : RefusalKind.Unschedulable, extender.Config.UrlPrefix.ToString(), reason));
        }

        refusals.Collect();
        return nodes.FindAll(n => left.Contains(n.Name));
    }

    private static async Task<IReadOnlyList<PreemptionCandidate>> NarrowAsync(
        HttpExtender extender, PodInfo pod, IReadOnlyList<PreemptionCandidate> candidates, CancellationToken cancel)
    {
        var agreed = await extender.PreemptAsync(pod, candidates, cancel).ConfigureAwait(false);
        return
        [
            .. candidates.Where(c => agreed.ContainsKey(c.Node))
                .Select(c => new PreemptionCandidate(c.Node, [.. c.Victims.Where(v => agreed[c.Node].Uids.Contains(v.Uid))], agreed[c.Node].Violations)),
        ];
    }

    private async Task<T> TryAsync<T>(HttpExtender extender, Func<Task<T>> ask, T without)
    {
        try
        {
            return await ask().ConfigureAwait(false);
        }
        catch (Exception e) when (extender.Config.Ignorable && (e is HttpRequestException or JsonException or InvalidOperationException))
        {
            PassedOver(log, extender.Config.UrlPrefix, e.Message);
            return without;
        }
    }

    [LoggerMessage(LogLevel.Warning, "Extender {Extender} is passed over: {Reason}")]
    private static partial void PassedOver(ILogger logger, Uri extender, string reason);

    [LoggerMessage(LogLevel.Warning, "Extender {Extender}: its certificate is not checked, as configured")]
    private static partial void Insecure(ILogger logger, Uri extender);
}
