using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;

namespace Hardway.Scheduler.State;

/// <summary>A compiled term of Pod affinity or anti-affinity: which Pods it means, over which node label, with which weight.</summary>
internal sealed record AffinityTerm(Selector Selector, HashSet<string> Namespaces, Selector? NamespaceSelector, string TopologyKey, int Weight)
{
    private string? _key;

    /// <summary>The same for two terms that mean the same Pods over the same label with the same weight.</summary>
    public string Key => _key ??= $"{Weight}|{TopologyKey}|{MeansKey}|{(NamespaceSelector is null ? "-" : NamespaceSelector.MatchesNothing ? "<nothing>" : NamespaceSelector)}";

    /// <summary>Which Pods it means, when its namespaces are resolved.</summary>
    public string MeansKey => $"{string.Join(',', Namespaces.Order(StringComparer.Ordinal))}|{(Selector.MatchesNothing ? "<nothing>" : Selector)}";

    public bool Matches(PodInfo other, IClusterListers listers) =>
        (Namespaces.Contains(other.Namespace) || NamespaceSelector?.Matches(listers.NamespaceLabels(other.Namespace)) == true)
        && Selector.Matches(other.Labels);

    /// <summary>The term with the names of the namespaces that its selector selects now.</summary>
    public AffinityTerm Resolve(IClusterListers listers) => NamespaceSelector is null ? this
        : this with { Namespaces = [.. Namespaces, .. listers.NamespacesWith(NamespaceSelector)], NamespaceSelector = null, _key = null };

    public static AffinityTerm[] Required(Pod pod, List<PodAffinityTerm>? terms) => terms is null ? [] : [.. terms.Select(t => Compile(pod, t, 0))];

    public static AffinityTerm[] Preferred(Pod pod, List<WeightedPodAffinityTerm>? terms) => terms is null ? [] : [.. terms.Select(t => Compile(pod, t.PodAffinityTerm, t.Weight))];

    private static AffinityTerm Compile(Pod pod, PodAffinityTerm term, int weight)
    {
        var namespaces = new HashSet<string>(term.Namespaces ?? [], StringComparer.Ordinal);
        if (namespaces.Count == 0 && term.NamespaceSelector is null)
        {
            namespaces.Add(pod.Metadata.Namespace);
        }

        return new(Merged(pod, term), namespaces, term.NamespaceSelector is null ? null : Selector.From(term.NamespaceSelector), term.TopologyKey, weight);
    }

    /// <summary>matchLabelKeys take their values from the Pod itself (KEP-3633).</summary>
    private static Selector Merged(Pod pod, PodAffinityTerm term)
    {
        if (term.LabelSelector is null || (term.MatchLabelKeys is not { Count: > 0 } && term.MismatchLabelKeys is not { Count: > 0 }))
        {
            return Selector.From(term.LabelSelector);
        }

        var selector = (LabelSelector)term.LabelSelector.DeepClone();
        selector.MatchExpressions ??= [];
        Add(term.MatchLabelKeys, "In");
        Add(term.MismatchLabelKeys, "NotIn");
        return Selector.From(selector);

        void Add(List<string>? keys, string @operator)
        {
            foreach (var key in keys ?? [])
            {
                if (pod.Metadata.Labels?.TryGetValue(key, out var value) == true && !selector.MatchExpressions!.Exists(e => e.Key == key && e.Operator == @operator))
                {
                    selector.MatchExpressions.Add(new LabelSelectorRequirement { Key = key, Operator = @operator, Values = [value] });
                }
            }
        }
    }
}
