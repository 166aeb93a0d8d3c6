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
        if (pod.Spec.NodeSelector is { } wanted)
        {
            foreach (var (key, value) in wanted)
            {
                if (node.Labels?.TryGetValue(key, out var label) != true || label != value)
                {
                    return false;
                }
            }
        }

        return pod.Spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution is not { } required || Matches(required, node);
    }

    /// <summary>Terms are alternatives; an empty term matches nothing.</summary>
    public static bool Matches(NodeSelector selector, NodeInfo node)
    {
        foreach (var term in selector.NodeSelectorTerms ?? [])
        {
            if (Matches(term, node))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The nodes that alone can match, when every term asks for nodes by name; null when they are not known.</summary>
    public static HashSet<string>? Names(NodeSelector selector)
    {
        if (selector.NodeSelectorTerms is not { Count: > 0 } terms)
        {
            return null;
        }

        var all = new HashSet<string>(StringComparer.Ordinal);
        foreach (var term in terms)
        {
            HashSet<string>? names = null;
            foreach (var field in term.MatchFields ?? [])
            {
                if (field.Key == "metadata.name" && field.Operator == "In")
                {
                    names = names is null ? [.. field.Values ?? []] : [.. names.Intersect(field.Values ?? [], StringComparer.Ordinal)];
                }
            }

            if (names is null)
            {
                return null;
            }

            all.UnionWith(names);
        }

        return all;
    }

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
