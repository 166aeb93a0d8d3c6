using System.Globalization;
using Hardway.Api.Core.V1;

namespace Hardway.Kubelet.Volumes;

/// <summary>Does a node fit a selector's terms? One of them must, wholly; a term without requirements fits none. Pure.</summary>
internal static class NodeSelection
{
    public static bool Matches(NodeSelector selector, Node node) => (selector.NodeSelectorTerms ?? []).Exists(term =>
        ((term.MatchExpressions?.Count ?? 0) + (term.MatchFields?.Count ?? 0) > 0)
        && (term.MatchExpressions ?? []).All(r => Matches(r, node.Metadata.Labels?.GetValueOrDefault(r.Key)))
        && (term.MatchFields ?? []).All(r => Matches(r, r.Key == "metadata.name" ? node.Metadata.Name : null)));

    /// <summary>Whether the Pod says anything about where it may run.</summary>
    public static bool IsSelective(Pod pod) => pod.Spec.NodeSelector is { Count: > 0 } || pod.Spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution != null;

    /// <summary>May the Pod run on the node, by its nodeSelector and its required node affinity?</summary>
    public static bool Fits(Pod pod, Node node) =>
        (pod.Spec.NodeSelector ?? []).All(s => node.Metadata.Labels?.GetValueOrDefault(s.Key) == s.Value)
        && (pod.Spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution is not { } required || Matches(required, node));

    private static bool Matches(NodeSelectorRequirement requirement, string? value) => requirement.Operator switch
    {
        "In" => value != null && requirement.Values?.Contains(value) == true,
        "NotIn" => value == null || requirement.Values?.Contains(value) != true,
        "Exists" => value != null,
        "DoesNotExist" => value == null,
        "Gt" => Compare(value, requirement) > 0,
        "Lt" => Compare(value, requirement) < 0,
        _ => false,
    };

    private static int Compare(string? value, NodeSelectorRequirement requirement) =>
        long.TryParse(value, CultureInfo.InvariantCulture, out var number) && requirement.Values is [var text] && long.TryParse(text, CultureInfo.InvariantCulture, out var bound) ? number.CompareTo(bound) : 0;
}
