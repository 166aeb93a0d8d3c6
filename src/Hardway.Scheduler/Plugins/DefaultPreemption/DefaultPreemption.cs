using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.DefaultPreemption;

/// <summary>
/// Makes room for a Pod of higher priority: on each node where removing others could help, the fewest and least important Pods whose
/// removal lets it fit; then the node where that costs least (budgets violated, highest priority, sum of priorities, number, age).
/// </summary>
internal sealed class DefaultPreemptionPlugin(int minPercentage, int minAbsolute, Random random) : Plugin, IPostFilter
{
    private static readonly Refusal s_noVictims = new(RefusalKind.UnschedulableAndUnresolvable, "DefaultPreemption", "No preemption victims found for incoming pod");
    private static readonly Refusal s_notHelpful = new(RefusalKind.UnschedulableAndUnresolvable, "DefaultPreemption", "Preemption is not helpful for scheduling");

    public override string Name => "DefaultPreemption";

    public override ClusterEvents Wakes => ClusterEvents.AssignedPodDeleted;

    public PostFilterResult PostFilter(Cycle cycle, NodeRefusals refusals)
    {
        if (NotEligible(cycle, refusals) is { } why)
        {
            return new PostFilterResult(null, [], $"preemption: {why}");
        }

        var possible = Array.FindAll(cycle.Nodes, n => refusals[n.Name] is { Kind: RefusalKind.Unschedulable });
        var failures = new NodeRefusals { Others = s_notHelpful };
        var candidates = new List<PreemptionCandidate>();
        var budgets = new Budgets(cycle.Listers);
        var enough = Math.Min(possible.Length, Math.Max(minAbsolute, cycle.Nodes.Length * minPercentage / 100));
        var start = possible.Length == 0 ? 0 : random.Next(possible.Length);
        for (var i = 0; i < possible.Length && candidates.Count < enough; i++)
        {
            var node = possible[(start + i) % possible.Length];
            if (Victims(cycle, node, budgets, out var candidate) is { } refusal)
            {
                failures.Add(node, refusal);
            }
            else
            {
                candidates.Add(candidate!);
            }
        }

        if (candidates.Count == 0)
        {
            return new PostFilterResult(null, [], "preemption: " + FitError.Message(cycle.Nodes.Length, null, failures, ""));
        }

        candidates.Sort((a, b) => Cost(a).CompareTo(Cost(b)));
        return new PostFilterResult(candidates[0].Node, candidates[0].Victims, "") { Candidates = candidates };
    }

    /// <summary>While victims of an earlier preemption are still going, another one would be too much.</summary>
    private static string? NotEligible(Cycle cycle, NodeRefusals refusals)
    {
        if (cycle.Pod.Pod.Spec.PreemptionPolicy == "Never")
        {
            return "not eligible due to preemptionPolicy=Never.";
        }

        return cycle.State.Nominated.NodeOf(cycle.Pod.Key) is { } node && refusals[node] is not { Kind: RefusalKind.UnschedulableAndUnresolvable }
            && cycle.State.Node(node)?.Pods.Exists(p => p.IsTerminating && p.Priority < cycle.Pod.Priority) == true
            ? "not eligible due to a terminating pod on the nominated node." : null;
    }

    private static Refusal? Victims(Cycle cycle, NodeInfo node, Budgets budgets, out PreemptionCandidate? candidate)
    {
        candidate = null;
        var lower = node.Pods.FindAll(p => p.Priority < cycle.Pod.Priority);
        if (lower.Count == 0)
        {
            return s_noVictims;
        }

        var trial = node.Copy();
        lower.ForEach(p => trial.Remove(p.Key));
        if (Refused(cycle, node, trial) is { } refusal)
        {
            return refusal;
        }

        // Important ones come back first, those protected by a budget before all others.
        var (violating, free) = budgets.Split(lower);
        var victims = new List<PodInfo>();
        var violations = GiveBack(cycle, node, trial, violating, victims);
        GiveBack(cycle, node, trial, free, victims);
        if (victims.Count == 0)
        {
            return s_noVictims;
        }

        victims.Sort(static (a, b) => b.Priority.CompareTo(a.Priority));
        candidate = new PreemptionCandidate(node.Name, victims, violations);
        return null;
    }

    /// <summary>Puts the Pods back one after the other where the newcomer still fits; the others are victims. How many are.</summary>
    private static int GiveBack(Cycle cycle, NodeInfo node, NodeInfo trial, List<PodInfo> pods, List<PodInfo> victims)
    {
        var before = victims.Count;
        foreach (var pod in pods)
        {
            trial.Add(pod);
            if (Refused(cycle, node, trial) is not null)
            {
                trial.Remove(pod.Key);
                victims.Add(pod);
            }
        }

        return victims.Count - before;
    }

    private static Refusal? Refused(Cycle cycle, NodeInfo node, NodeInfo trial)
    {
        var coming = cycle.State.Nominated.On(node.Name, cycle.Pod);
        if (coming.Count > 0)
        {
            var later = trial.Copy();
            coming.ForEach(later.Add);
            if (cycle.Profile.Try(cycle, node, later) is { } refused)
            {
                return refused;
            }
        }

        return cycle.Profile.Try(cycle, node, trial);
    }

    /// <summary>Of two nodes that cost the same, the one whose most important victim started last.</summary>
    private static (int, int, long, int, long) Cost(PreemptionCandidate candidate)
    {
        var highest = candidate.Victims.Max(v => v.Priority);
        var started = candidate.Victims.Where(v => v.Priority == highest).Min(v => v.Pod.Status.StartTime ?? DateTimeOffset.MaxValue);
        return (candidate.Violations, highest, candidate.Victims.Sum(v => (long)v.Priority - int.MinValue), candidate.Victims.Count, -started.Ticks);
    }
}
