using Hardway.Api.AdmissionRegistration.V1;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.AdmissionRegistration;

/// <summary>Which writes a webhook, a policy or a binding is about: defaults and checks.</summary>
internal static class MatchingRules
{
    private static readonly string[] s_operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];

    public static void Default(MatchResources? match)
    {
        if (match is null)
        {
            return;
        }

        match.MatchPolicy ??= "Equivalent";
        match.NamespaceSelector ??= new LabelSelector();
        match.ObjectSelector ??= new LabelSelector();
        foreach (var rule in (match.ResourceRules ?? []).Concat(match.ExcludeResourceRules ?? []))
        {
            rule.Scope ??= "*";
        }
    }

    public static void Validate(MatchResources match, FieldPath path, ErrorList errors)
    {
        if (match.MatchPolicy is { } policy && policy is not ("Equivalent" or "Exact"))
        {
            errors.NotSupported(path.Child("matchPolicy"), policy, "Equivalent", "Exact");
        }

        WorkloadValidation.LabelSelector(errors, path.Child("namespaceSelector"), match.NamespaceSelector);
        WorkloadValidation.LabelSelector(errors, path.Child("objectSelector"), match.ObjectSelector);
        Rules(match.ResourceRules, path.Child("resourceRules"), errors);
        Rules(match.ExcludeResourceRules, path.Child("excludeResourceRules"), errors);
    }

    public static void Rule(List<string>? operations, List<string>? groups, List<string>? versions, List<string>? resources, string? scope, FieldPath path, ErrorList errors)
    {
        Wildcard(operations, path.Child("operations"), "operations", errors);
        for (var i = 0; i < (operations?.Count ?? 0); i++)
        {
            if (!s_operations.Contains(operations![i]))
            {
                errors.NotSupported(path.Child("operations").Index(i), operations[i], s_operations);
            }
        }

        Wildcard(groups, path.Child("apiGroups"), "API groups", errors);
        Wildcard(versions, path.Child("apiVersions"), "API versions", errors);
        Filled(versions, path.Child("apiVersions"), errors);
        Resources(resources, path.Child("resources"), errors);
        if (scope is not (null or "*" or "Cluster" or "Namespaced"))
        {
            errors.NotSupported(path.Child("scope"), scope, "*", "Cluster", "Namespaced");
        }
    }

    private static void Rules(List<NamedRuleWithOperations>? rules, FieldPath path, ErrorList errors)
    {
        for (var i = 0; i < (rules?.Count ?? 0); i++)
        {
            var (rule, at) = (rules![i], path.Index(i));
            Rule(rule.Operations, rule.ApiGroups, rule.ApiVersions, rule.Resources, rule.Scope, at, errors);
            var names = rule.ResourceNames ?? [];
            for (var j = 0; j < names.Count; j++)
            {
                if (Registry.ObjectNames.PathSegment(names[j], false) is { } wrong)
                {
                    errors.Invalid(at.Child("resourceNames").Index(j), names[j], wrong);
                }

                if (names.IndexOf(names[j]) < j)
                {
                    errors.Duplicate(at.Child("resourceNames").Index(j), names[j]);
                }
            }
        }
    }

    private static void Wildcard(List<string>? values, FieldPath path, string what, ErrorList errors)
    {
        if (values is not { Count: > 0 })
        {
            errors.Required(path);
        }
        else if (values.Count > 1 && values.Contains("*"))
        {
            errors.Invalid(path, string.Join(", ", values), $"if '*' is present, must not specify other {what}");
        }
    }

    private static void Filled(List<string>? values, FieldPath path, ErrorList errors)
    {
        for (var i = 0; i < (values?.Count ?? 0); i++)
        {
            if (values![i].Length == 0)
            {
                errors.Required(path.Index(i));
            }
        }
    }

    /// <summary>RESOURCE, RESOURCE/SUBRESOURCE, with stars that take in others: those may not stand beside them.</summary>
    private static void Resources(List<string>? resources, FieldPath path, ErrorList errors)
    {
        if (resources is not { Count: > 0 })
        {
            errors.Required(path);
            return;
        }

        Filled(resources, path, errors);
        var shown = string.Join(", ", resources);
        if (resources.Contains("*/*"))
        {
            if (resources.Count > 1)
            {
                errors.Invalid(path, shown, "if '*/*' is present, must not specify other resources");
            }

            return;
        }

        var parts = resources.Where(r => r.Contains('/', StringComparison.Ordinal)).Select(r => (Resource: r[..r.IndexOf('/', StringComparison.Ordinal)], Sub: r[(r.IndexOf('/', StringComparison.Ordinal) + 1)..])).ToList();
        if (resources.Contains("*") && resources.Exists(r => r != "*" && !r.Contains('/', StringComparison.Ordinal)))
        {
            errors.Invalid(path, shown, "if '*' is present, must not specify other resources without subresources");
        }

        for (var i = 0; i < resources.Count; i++)
        {
            var slash = resources[i].IndexOf('/', StringComparison.Ordinal);
            if (slash < 0)
            {
                continue;
            }

            var (resource, sub) = (resources[i][..slash], resources[i][(slash + 1)..]);
            if (sub != "*" && parts.Contains((resource, "*")))
            {
                errors.Invalid(path.Index(i), resources[i], $"if '{resource}/*' is present, must not specify {resources[i]}");
            }

            if (resource != "*" && parts.Contains(("*", sub)))
            {
                errors.Invalid(path.Index(i), resources[i], $"if '*/{sub}' is present, must not specify {resources[i]}");
            }
        }
    }
}
