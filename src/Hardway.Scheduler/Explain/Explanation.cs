using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Scheduling;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Explain;

/// <summary>
/// Asks every plugin about every node, where the scheduler stops at the first refusal and at enough nodes. Changes nothing in the state. Called
/// under the state's lock.
/// </summary>
internal sealed class Explanation(Profile profile, PodInfo pod, ClusterState state)
{
    private readonly Cycle _cycle = new(profile, pod, state, state.Nodes);
    private readonly Dictionary<string, FilterAnswer> _forAllNodes = new(StringComparer.Ordinal);
    private readonly NodeRefusals _refusals = new();
    private Refusal? _preFilter;

    public PodExplanation Explain(string? boundTo)
    {
        PrepareFilters();
        var fitting = new List<NodeInfo>();
        var filters = new Dictionary<string, List<FilterAnswer>>(StringComparer.Ordinal);
        foreach (var node in _cycle.Nodes)
        {
            var answers = profile.Filters.Cast<Plugin>().Select(f => Ask(f, node)).ToList();
            AddNominated(node, answers);
            filters[node.Name] = answers;
            if (answers.TrueForAll(a => a.Outcome != FilterOutcome.Refused))
            {
                fitting.Add(node);
            }
        }

        var scores = Scores(fitting, out var totals);
        var verdicts = _cycle.Nodes.Select(n => new NodeVerdict(
            n.Name, fitting.Contains(n), fitting.Contains(n) ? totals[fitting.IndexOf(n)] : 0, filters[n.Name], scores.GetValueOrDefault(n.Name, [])));
        return new PodExplanation(
            pod.Namespace, pod.Pod.Metadata.Name, profile.SchedulerName, boundTo, Message(fitting),
            [.. verdicts.OrderByDescending(v => v.Fits).ThenByDescending(v => v.Total).ThenBy(v => v.Name, StringComparer.Ordinal)]);
    }

    /// <summary>Every pre-filter is asked, those after a refusal too.</summary>
    private void PrepareFilters()
    {
        var running = profile.Filters.ToList();
        foreach (var preFilter in profile.PreFilters)
        {
            var plugin = (Plugin)preFilter;
            var answer = preFilter.PreFilter(_cycle);
            if (answer.Refused is { } refused)
            {
                _preFilter ??= refused;
                _refusals.Others ??= refused;
                _forAllNodes[plugin.Name] = Refused(refused);
            }
            else if (answer.Skips)
            {
                _forAllNodes[plugin.Name] = new FilterAnswer(plugin.Name, FilterOutcome.Skipped);
            }
            else if (answer.Nodes is { } nodes)
            {
                _cycle.Narrow(plugin.Name, nodes);
            }

            running.RemoveAll(f => ReferenceEquals(f, plugin) && (answer.Skips || answer.Refused is not null));
        }

        _cycle.Filters = [.. running];
    }

    private FilterAnswer Ask(Plugin plugin, NodeInfo node)
    {
        if (_forAllNodes.TryGetValue(plugin.Name, out var known))
        {
            return known;
        }

        if (((IFilter)plugin).Filter(_cycle, node) is not { } refusal)
        {
            return new FilterAnswer(plugin.Name, FilterOutcome.Passed);
        }

        if (_refusals.ByNode.ContainsKey(node.Name) is false)
        {
            _refusals.Add(node, refusal); // the scheduler would see the first alone
        }

        return Refused(refusal);
    }

    /// <summary>Room that more important Pods have made for themselves is taken.</summary>
    private void AddNominated(NodeInfo node, List<FilterAnswer> answers)
    {
        if (_preFilter is null && answers.TrueForAll(a => a.Outcome != FilterOutcome.Refused) && profile.RunFiltersWithNominated(_cycle, node) is { } refusal)
        {
            _refusals.Add(node, refusal);
            answers.Add(new FilterAnswer(refusal.Plugin, FilterOutcome.Refused, refusal.Message + " (room is kept for Pods that preempted it)"));
        }
    }

    private static FilterAnswer Refused(Refusal refusal) =>
        new(refusal.Plugin, FilterOutcome.Refused, refusal.Message, refusal.Kind == RefusalKind.Unschedulable);

    private Dictionary<string, IReadOnlyList<ScoreAnswer>> Scores(List<NodeInfo> fitting, out long[] totals)
    {
        totals = new long[fitting.Count];
        var all = fitting.ToDictionary(n => n.Name, _ => new List<ScoreAnswer>(), StringComparer.Ordinal);
        SchedulingAlgorithm.Score(_cycle, fitting, totals, (weighted, scores) =>
        {
            for (var i = 0; i < scores.Length; i++)
            {
                all[fitting[i].Name].Add(new ScoreAnswer(weighted.Plugin.Name, scores[i], weighted.Weight));
            }
        });
        return all.ToDictionary(a => a.Key, a => (IReadOnlyList<ScoreAnswer>)a.Value, StringComparer.Ordinal);
    }

    private string? Message(List<NodeInfo> fitting)
    {
        foreach (var plugin in profile.PreEnqueue)
        {
            if (plugin.PreEnqueue(pod) is { } gated)
            {
                return gated.Message;
            }
        }

        if (fitting.Count > 0)
        {
            return null;
        }

        var room = _cycle.Nodes.Length == 0 ? null : profile.PostFilters.Select(p => p.PostFilter(_cycle, _refusals)).FirstOrDefault();
        return FitError.Message(_cycle.Nodes.Length, _preFilter, _refusals, room switch
        {
            null => "",
            { Node: { } node } => $"preemption: {node} would have room without {string.Join(", ", room.Victims)}.",
            _ => room.Message,
        });
    }
}
