using Hardway.Api;
using Hardway.Api.Policy.V1;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.DefaultPreemption;

/// <summary>Disruption budgets in one search for victims; their selectors are compiled once.</summary>
internal sealed class Budgets(IClusterListers listers)
{
    private readonly Dictionary<string, List<(Selector Selector, PodDisruptionBudget Budget)>> _byNamespace = new(StringComparer.Ordinal);

    /// <summary>Which of the Pods may not go without violating a budget if all before them went; the important first in both.</summary>
    public (List<PodInfo> Violating, List<PodInfo> Free) Split(List<PodInfo> pods)
    {
        var allowed = new Dictionary<PodDisruptionBudget, int>(ReferenceEqualityComparer.Instance);
        var (violating, free) = (new List<PodInfo>(), new List<PodInfo>());
        foreach (var pod in pods.OrderByDescending(p => p.Priority).ThenBy(p => p.Pod.Status.StartTime ?? DateTimeOffset.MaxValue))
        {
            var violates = false;
            foreach (var (selector, budget) in In(pod.Namespace))
            {
                if (pod.Labels is { Count: > 0 } && !selector.IsEverything && selector.Matches(pod.Labels)
                    && budget.Status.DisruptedPods?.ContainsKey(pod.Pod.Metadata.Name) != true)
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

    private List<(Selector Selector, PodDisruptionBudget Budget)> In(string @namespace)
    {
        if (!_byNamespace.TryGetValue(@namespace, out var budgets))
        {
            _byNamespace[@namespace] = budgets = [.. listers.DisruptionBudgets(@namespace).Select(b => (Selector.From(b.Spec.Selector), b))];
        }

        return budgets;
    }
}
