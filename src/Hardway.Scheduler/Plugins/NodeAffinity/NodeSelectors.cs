using System.Globalization;
using Hardway.Api.Core.V1;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.NodeAffinity;

/// <summary>Node selectors: spec.nodeSelector, and terms of expressions over labels and the node's name. Pure.</summary>
internal static class NodeSelectors
{
    /// <summary>Does the node match what the Pod requires?</summary>
    public static bool MatchesRequired(Pod pod, NodeInfo node)
    {
        foreach (var (key, value) in pod.Spec.NodeSelector ?? [])
        {
            if (node.Labels?.TryGetValue(key, out var label) != true || label != value)
            {
                return false;
            }
        }

        return pod.Spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution is not { } required || Matches(required, node);
    }

    /// <summary>Terms are alternatives; an empty term matches nothing.</summary>
    public static bool Matches(NodeSelector selector, NodeInfo node) => (selector.NodeSelectorTerms ?? []).Exists(term => Matches(term, node));

    public static bool Matches(NodeSelectorTerm term, NodeInfo node)
    {
        if (term.MatchExpressions is not { Count: > 0 } && term.MatchFields is not { Count: > 0 })
        {
            return false;
        }

        return (term.MatchExpressions ?? []).TrueForAll(e => Matches(e, node.Labels?.GetValueOrDefault(e.Key)))
            && (term.MatchFields ?? []).TrueForAll(f => Matches(f, f.Key == "metadata.name" ? node.Name : null));
    }

    private static bool Matches(NodeSelectorRequirement requirement, string? value) => requirement.Operator switch
    {
        "In" => value is not null && requirement.Values?.Contains(value) == true,
        "NotIn" => value is null || requirement.Values?.Contains(value) != true,
        "Exists" => value is not null,
        "DoesNotExist" => value is null,
        "Gt" => Compare(requirement, value) > 0,
        "Lt" => Compare(requirement, value) < 0,
        _ => false,
    };

    private static int? Compare(NodeSelectorRequirement requirement, string? value) =>
        requirement.Values is [var limit]
        && long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
        && long.TryParse(limit, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var other)
            ? number.CompareTo(other) : null;
}
