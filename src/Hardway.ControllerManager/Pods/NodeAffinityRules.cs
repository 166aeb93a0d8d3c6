using System.Globalization;
using Hardway.Api.Core.V1;

namespace Hardway.ControllerManager;

/// <summary>Does a node fit a Pod's nodeSelector and required node affinity? (The scheduler has its own, compiled form.)</summary>
internal static class NodeAffinityRules
{
    public static bool Fits(PodSpec pod, Node node)
    {
        var labels = node.Metadata.Labels ?? [];
        foreach (var (key, value) in pod.NodeSelector ?? [])
        {
            if (labels.GetValueOrDefault(key) != value) return false;
        }
        var required = pod.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution;
        return required is null || (required.NodeSelectorTerms ?? []).Exists(t => Matches(t, node));
    }

    private static bool Matches(NodeSelectorTerm term, Node node)
    {
        if (term.MatchExpressions is null or { Count: 0 } && term.MatchFields is null or { Count: 0 }) return false;
        var labels = node.Metadata.Labels ?? [];
        return (term.MatchExpressions ?? []).TrueForAll(r => Matches(r, labels.GetValueOrDefault(r.Key)))
            && (term.MatchFields ?? []).TrueForAll(r => r.Key == "metadata.name" && Matches(r, node.Metadata.Name));
    }

    private static bool Matches(NodeSelectorRequirement requirement, string? value)
    {
        var values = requirement.Values ?? [];
        return requirement.Operator switch
        {
            "In" => value is not null && values.Contains(value),
            "NotIn" => value is null || !values.Contains(value),
            "Exists" => value is not null,
            "DoesNotExist" => value is null,
            "Gt" => Number(value) is { } a && Number(values.FirstOrDefault()) is { } b && a > b,
            "Lt" => Number(value) is { } a && Number(values.FirstOrDefault()) is { } b && a < b,
            _ => false,
        };
    }

    private static long? Number(string? text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
}
