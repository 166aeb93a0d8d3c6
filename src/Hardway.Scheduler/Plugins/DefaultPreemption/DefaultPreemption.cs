using Hardway.Api;
using Hardway.Api.Policy.V1;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.DefaultPreemption;

/// <summary>
/// Makes room for a Pod of higher priority: on each node where removing others could help, the fewest and least important Pods whose
/// removal lets it fit; then the node where that costs least (budgets violated, highest priority, sum of priorities, number).
/// </summary>
internal sealed class DefaultPreemptionPlugin(Func<Profile> profile) : Plugin, IPostFilter
{
    private const int MinCandidates = 100;
    private const int CandidatePercentage = 10;

    public override string Name => "DefaultPreemption";

    public PostFilterResult PostFilter(Cycle cycle, IReadOnlyDictionary<string, Refusal> refusals)
    {
        if (cycle.Pod.Pod.Spec.PreemptionPolicy == "Never")
        {
            return Nothing(cycle, cycle.Nodes.Count, "not eligible due to preemptionPolicy=Never.");
        }

        var possible = cycle.Nodes.Where(n => refusals.TryGetValue(n.Name, out var r) && r.Kind == RefusalKind.Unschedulable).ToList();
        var budgets = new Dictionary<string, IReadOnlyList<(Selector Selector, PodDisruptionBudget Budget)>>(StringComparer.Ordinal);
        var candidates = new List<Candidate>();
        var enough = Math.Max(MinCandidates, cycle.Nodes.Count * CandidatePercentage / 100);
        foreach (var node in possible)
        {
            if (candidates.Count < enough && Victims(cycle, node, budgets) is { } candidate)
            {
                candidates.Add(candidate);
            }
        }

        if (candidates.Count == 0)
        {
            return Nothing(cycle, cycle.Nodes.Count - possible.Count, null, possible.Count);
        }

        var best = candidates.MinBy(c => c.Cost)!;
        return new PostFilterResult(best.Node, best.Victims, "");
    }

    private static PostFilterResult Nothing(Cycle cycle, int unhelpful, string? why, int without = 0)
    {
        var parts = new List<string>();
        if (unhelpful > 0)
        {
            parts.Add($"{unhelpful} Preemption is not helpful for scheduling");
        }

        if (without > 0)
        {
            parts.Add($"{without} No preemption victims found for incoming pod");
        }

        parts.Sort(StringComparer.Ordinal);
        return new PostFilterResult(null, [], why is not null ? "preemption: " + why : $"preemption: 0/{cycle.Nodes.Count} nodes are available: {string.Join(", ", parts)}.");
    }

    private Candidate? Victims(Cycle cycle, NodeInfo node, Dictionary<string, IReadOnlyList<(Selector, PodDisruptionBudget)>> budgets)
    {
        var trial = node.Copy();
        var lower = node.Pods.Where(p => p.Priority < cycle.Pod.Priority).ToList();
        if (lower.Count == 0)
        {
            return null;
        }

        lower.ForEach(p => trial.Remove(p.Key));
        if (!Fits(cycle, trial))
        {
            return null;
        }

        // Important ones come back first, those protected by a budget before all others.
        var (violating, free) = SplitByBudget(cycle, lower, budgets);
        var victims = new List<PodInfo>();
        var violations = 0;
        foreach (var (pod, protectedByBudget) in violating.Select(p => (p, true)).Concat(free.Select(p => (p, false))))
        {
            trial.Add(pod);
            if (!Fits(cycle, trial))
            {
                trial.Remove(pod.Key);
                victims.Add(pod);
                violations += protectedByBudget ? 1 : 0;
            }
        }

        return victims.Count == 0 ? null : new Candidate(node.Name, victims, (violations, victims.Max(v => v.Priority), victims.Sum(v => (long)v.Priority - int.MinValue), victims.Count, node.Name));
    }

    private bool Fits(Cycle cycle, NodeInfo trial)
    {
        var attempt = cycle.With(trial);
        return profile().RunPreFilters(attempt) is null && profile().RunFilters(attempt, trial) is null;
    }

    private static (List<PodInfo> Violating, List<PodInfo> Free) SplitByBudget(
        Cycle cycle, List<PodInfo> pods, Dictionary<string, IReadOnlyList<(Selector Selector, PodDisruptionBudget Budget)>> budgets)
    {
        var allowed = new Dictionary<PodDisruptionBudget, int>(ReferenceEqualityComparer.Instance);
        var (violating, free) = (new List<PodInfo>(), new List<PodInfo>());
        foreach (var pod in pods.OrderByDescending(p => p.Priority).ThenBy(p => p.Pod.Status.StartTime))
        {
            if (!budgets.TryGetValue(pod.Namespace, out var mine))
            {
                budgets[pod.Namespace] = mine = [.. cycle.Listers.DisruptionBudgets(pod.Namespace).Select(b => (Selector.From(b.Spec.Selector), b))];
            }

            var violates = false;
            foreach (var (selector, budget) in mine)
            {
                if (!selector.IsEverything && selector.Matches(pod.Labels) && budget.Status.DisruptedPods?.ContainsKey(pod.Pod.Metadata.Name) != true)
                {
                    var left = allowed.GetValueOrDefault(budget, budget.Status.DisruptionsAllowed) - 1;
                    allowed[budget] = left;
                    violates |= left < 0;
                }
            }

            (violates ? violating : free).Add(pod);
        }

        return (violating, free);
    }

    private sealed record Candidate(string Node, List<PodInfo> Victims, (int, int, long, int, string) Cost);
}
