using Hardway.Api.Rbac.V1;

namespace Hardway.ApiServer.Authorization.Rbac;

/// <summary>Whether rights that somebody holds cover rights that he gives away: nobody grants more than he has.</summary>
internal static class RuleCover
{
    /// <summary>The parts of <paramref name="wanted"/> that no rule of <paramref name="held"/> covers, one verb, group, resource and name each.</summary>
    public static List<PolicyRule> Missing(IReadOnlyCollection<PolicyRule> held, IEnumerable<PolicyRule> wanted)
    {
        var missing = new List<PolicyRule>();
        foreach (var single in wanted.SelectMany(Singles))
        {
            if (!held.Any(h => Covers(h, single)))
            {
                missing.Add(single);
            }
        }

        return missing;
    }

    /// <summary>The rules that name something missing, as a user reads them.</summary>
    public static string Describe(IEnumerable<PolicyRule> rules) => string.Join("\n", rules.Select(Describe).Distinct().Take(50));

    private static string Describe(PolicyRule rule)
    {
        var parts = new List<string>();
        Add("APIGroups", rule.ApiGroups);
        Add("Resources", rule.Resources);
        Add("ResourceNames", rule.ResourceNames);
        Add("NonResourceURLs", rule.NonResourceURLs);
        Add("Verbs", rule.Verbs);
        return "{" + string.Join(", ", parts) + "}";

        void Add(string what, List<string>? values)
        {
            if (values is { Count: > 0 })
            {
                parts.Add($"{what}:[{string.Join(" ", values.Select(v => $"\"{v}\""))}]");
            }
        }
    }

    private static IEnumerable<PolicyRule> Singles(PolicyRule rule)
    {
        foreach (var verb in rule.Verbs ?? [])
        {
            foreach (var path in rule.NonResourceURLs ?? [])
            {
                yield return new PolicyRule { Verbs = [verb], NonResourceURLs = [path] };
            }

            foreach (var group in rule.ApiGroups ?? [])
            {
                foreach (var resource in rule.Resources ?? [])
                {
                    if (rule.ResourceNames is not { Count: > 0 } names)
                    {
                        yield return new PolicyRule { Verbs = [verb], ApiGroups = [group], Resources = [resource] };
                        continue;
                    }

                    foreach (var name in names)
                    {
                        yield return new PolicyRule { Verbs = [verb], ApiGroups = [group], Resources = [resource], ResourceNames = [name] };
                    }
                }
            }
        }
    }

    private static bool Covers(PolicyRule held, PolicyRule single)
    {
        if (!Has(held.Verbs, single.Verbs![0]))
        {
            return false;
        }

        if (single.NonResourceURLs is { } paths)
        {
            return CoversPath(held.NonResourceURLs, paths[0]);
        }

        return Has(held.ApiGroups, single.ApiGroups![0])
            && CoversResource(held.Resources, single.Resources![0])
            && (held.ResourceNames is not { Count: > 0 } || (single.ResourceNames is { } names && held.ResourceNames.Contains(names[0])));
    }

    private static bool CoversResource(List<string>? held, string resource)
    {
        var slash = resource.IndexOf('/', StringComparison.Ordinal);
        return held is not null && (held.Contains("*") || held.Contains(resource) || (slash >= 0 && held.Contains(string.Concat("*", resource.AsSpan(slash)))));
    }

    private static bool CoversPath(List<string>? held, string path) =>
        held is not null && held.Any(h => h == "*" || h == path || (h.EndsWith('*') && path.StartsWith(h.AsSpan(0, h.Length - 1), StringComparison.Ordinal)));

    private static bool Has(List<string>? values, string value) => values is not null && (values.Contains("*") || values.Contains(value));
}
