using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Scheduler.Plugins.NodeAffinity;
using Hardway.Scheduler.Plugins.TaintToleration;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.PodTopologySpread;

/// <summary>A compiled topology spread constraint of a Pod.</summary>
internal sealed record SpreadConstraint(string TopologyKey, int MaxSkew, Selector Selector, int MinDomains, bool HonorAffinity, bool HonorTaints)
{
    public static List<SpreadConstraint> Of(Pod pod, string whenUnsatisfiable) =>
        [.. (pod.Spec.TopologySpreadConstraints ?? []).Where(c => c.WhenUnsatisfiable == whenUnsatisfiable).Select(c => Compile(pod, c))];

    /// <summary>The system's own constraints for Pods that give none: spread over hosts and zones, softly.</summary>
    public static List<SpreadConstraint> SystemDefaults(Selector selector) => selector.MatchesNothing || selector.IsEverything ? [] :
    [
        new("kubernetes.io/hostname", 3, selector, 0, true, false),
        new("topology.kubernetes.io/zone", 5, selector, 0, true, false),
    ];

    /// <summary>A profile's constraints, for the Pods that the selector means.</summary>
    public static List<SpreadConstraint> Defaults(IReadOnlyList<TopologySpreadConstraint> defaults, string whenUnsatisfiable, Selector selector) =>
        selector.MatchesNothing || selector.IsEverything ? []
        : [.. defaults.Where(c => c.WhenUnsatisfiable == whenUnsatisfiable).Select(c => new SpreadConstraint(c.TopologyKey, c.MaxSkew, selector, c.MinDomains ?? 0, true, false))];

    /// <summary>Does the node count as a domain for this Pod?</summary>
    public bool Includes(Pod pod, NodeInfo node) =>
        (!HonorAffinity || NodeSelectors.MatchesRequired(pod, node))
        && (!HonorTaints || Tolerations.TolerateAll(pod.Spec.Tolerations, node.HardTaints));

    private static SpreadConstraint Compile(Pod pod, TopologySpreadConstraint constraint)
    {
        var selector = constraint.LabelSelector;
        if (selector is not null && constraint.MatchLabelKeys is { Count: > 0 } keys)
        {
            selector = (LabelSelector)selector.DeepClone();
            foreach (var key in keys)
            {
                if (pod.Metadata.Labels?.TryGetValue(key, out var value) == true)
                {
                    (selector.MatchExpressions ??= []).Add(new LabelSelectorRequirement { Key = key, Operator = "In", Values = [value] });
                }
            }
        }

        return new(
            constraint.TopologyKey, constraint.MaxSkew, Selector.From(selector), constraint.MinDomains ?? 0,
            constraint.NodeAffinityPolicy is null or "Honor", constraint.NodeTaintsPolicy == "Honor");
    }
}
