using Hardway.Api;
using Hardway.Api.AdmissionRegistration.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Admission.Dynamic;

/// <summary>Which writes a webhook or a policy is about: operations, groups, versions and resources, and selectors on the namespace and the object.</summary>
internal sealed class MatchRules(IResourceReader reader)
{
    public bool Fits(MatchResources? match, AdmissionAttributes attributes) => match is null
        || (AnyFits(match.ResourceRules, attributes) && !AnyExcludes(match.ExcludeResourceRules, attributes) && Selected(match.NamespaceSelector, match.ObjectSelector, attributes));

    public bool Fits(List<RuleWithOperations>? rules, LabelSelector? namespaces, LabelSelector? objects, AdmissionAttributes attributes) =>
        (rules ?? []).Any(r => Fits(r.Operations, r.ApiGroups, r.ApiVersions, r.Resources, r.Scope, attributes)) && Selected(namespaces, objects, attributes);

    /// <summary>The namespace's labels; of a Namespace its own.</summary>
    public Namespace? NamespaceOf(AdmissionAttributes attributes) => attributes.Namespace.Length == 0 ? null : reader.Get<Namespace>("", attributes.Namespace);

    /// <summary>Webhooks and policies never judge the objects that configure them: nobody could undo a mistake.</summary>
    public static bool IsExempt(AdmissionAttributes attributes) => attributes.Group == "admissionregistration.k8s.io"
        && attributes.Resource is "validatingwebhookconfigurations" or "mutatingwebhookconfigurations" or "validatingadmissionpolicies" or "validatingadmissionpolicybindings" or "mutatingadmissionpolicies" or "mutatingadmissionpolicybindings";

    private static bool AnyFits(List<NamedRuleWithOperations>? rules, AdmissionAttributes attributes) => rules is not { Count: > 0 } || AnyExcludes(rules, attributes);

    private static bool AnyExcludes(List<NamedRuleWithOperations>? rules, AdmissionAttributes attributes) =>
        (rules ?? []).Any(r => Fits(r.Operations, r.ApiGroups, r.ApiVersions, r.Resources, r.Scope, attributes) && (r.ResourceNames is not { Count: > 0 } names || names.Contains(attributes.Name)));

    private static bool Fits(List<string>? operations, List<string>? groups, List<string>? versions, List<string>? resources, string? scope, AdmissionAttributes attributes) =>
        Has(operations, attributes.Operation.ToString().ToUpperInvariant())
        && Has(groups, attributes.Group)
        && Has(versions, attributes.Version)
        && (resources ?? []).Any(r => FitsResource(r, attributes))
        && (scope is null or "*" || (scope == "Namespaced") == (attributes.Namespace.Length > 0 && attributes.Resource != "namespaces"));

    private static bool FitsResource(string rule, AdmissionAttributes attributes)
    {
        var slash = rule.IndexOf('/', StringComparison.Ordinal);
        var (resource, subresource) = slash < 0 ? (rule, "") : (rule[..slash], rule[(slash + 1)..]);
        return (resource == "*" || resource == attributes.Resource) && (subresource == attributes.Subresource || (subresource == "*" && (slash > 0)));
    }

    private bool Selected(LabelSelector? namespaces, LabelSelector? objects, AdmissionAttributes attributes) =>
        NamespaceSelected(namespaces, attributes) && ObjectSelected(objects, attributes);

    private bool NamespaceSelected(LabelSelector? selector, AdmissionAttributes attributes)
    {
        var compiled = selector is null ? Selector.Everything : Selector.From(selector);
        if (compiled.IsEverything || (attributes.Namespace.Length == 0 && attributes.Resource != "namespaces"))
        {
            return true;
        }

        var labels = attributes is { Group: "", Resource: "namespaces" } ? (attributes.Object as Namespace ?? attributes.OldObject as Namespace)?.Metadata.Labels : NamespaceOf(attributes)?.Metadata.Labels;
        return compiled.Matches(labels);
    }

    private static bool ObjectSelected(LabelSelector? selector, AdmissionAttributes attributes)
    {
        var compiled = selector is null ? Selector.Everything : Selector.From(selector);
        return compiled.IsEverything || Matches(attributes.Object) || Matches(attributes.OldObject);

        bool Matches(ApiStruct? value) => value is KubeObject one && compiled.Matches(one.Metadata.Labels);
    }

    private static bool Has(List<string>? values, string value) => values is not null && (values.Contains("*") || values.Contains(value));
}
