using Hardway.Api;
using Hardway.Api.AdmissionRegistration.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Admission.Dynamic;

/// <summary>A write is meant: in the version of its own or, with matchPolicy Equivalent, in another one of the same objects.</summary>
internal readonly record struct RuleMatch(bool Fits, ServedResource? Version)
{
    public static readonly RuleMatch None = new(false, null);
}

/// <summary>Which writes a webhook or a policy is about: operations, groups, versions and resources, and selectors on the namespace and the object.</summary>
internal sealed class MatchRules(IResourceReader reader, ResourceScheme scheme)
{
    public RuleMatch Match(MatchResources? match, AdmissionAttributes attributes)
    {
        if (match is null)
        {
            return new RuleMatch(true, attributes.Served);
        }

        if (Find(attributes, match.MatchPolicy, target => AnyNames(match.ExcludeResourceRules, target, attributes)).Fits)
        {
            return RuleMatch.None;
        }

        var found = match.ResourceRules is not { Count: > 0 } rules ? new RuleMatch(true, attributes.Served) : Find(attributes, match.MatchPolicy, target => AnyNames(rules, target, attributes));
        return found.Fits && Selected(match.NamespaceSelector, match.ObjectSelector, attributes) ? found : RuleMatch.None;
    }

    public RuleMatch Match(List<RuleWithOperations>? rules, string? policy, LabelSelector? namespaces, LabelSelector? objects, AdmissionAttributes attributes)
    {
        var found = Find(attributes, policy, target => (rules ?? []).Any(r => Fits(r.Operations, r.ApiGroups, r.ApiVersions, r.Resources, r.Scope, target, attributes)));
        return found.Fits && Selected(namespaces, objects, attributes) ? found : RuleMatch.None;
    }

    /// <summary>The namespace's labels; of a Namespace its own.</summary>
    public Namespace? NamespaceOf(AdmissionAttributes attributes) => attributes.Namespace.Length == 0 ? null : reader.Get<Namespace>("", attributes.Namespace);

    /// <summary>Webhooks and policies never judge the objects that configure them: nobody could undo a mistake.</summary>
    public static bool IsExempt(AdmissionAttributes attributes) => attributes.Group == "admissionregistration.k8s.io"
        && attributes.Resource is "validatingwebhookconfigurations" or "mutatingwebhookconfigurations" or "validatingadmissionpolicies" or "validatingadmissionpolicybindings" or "mutatingadmissionpolicies" or "mutatingadmissionpolicybindings";

    /// <summary>The client's own version first, then the others in the order of discovery.</summary>
    private RuleMatch Find(AdmissionAttributes attributes, string? policy, Func<Target, bool> fits)
    {
        if (fits(new Target(attributes.Group, attributes.Version, attributes.Resource)))
        {
            return new RuleMatch(true, attributes.Served);
        }

        return policy != "Exact" && attributes.Served is { } own
            && scheme.Equivalents(own).FirstOrDefault(r => (attributes.Subresource.Length == 0 || r.Subresource(attributes.Subresource) is not null) && fits(new Target(r.Info.Group, r.Info.Version, r.Info.Plural))) is { } other
            ? new RuleMatch(true, other)
            : RuleMatch.None;
    }

    private static bool AnyNames(List<NamedRuleWithOperations>? rules, Target target, AdmissionAttributes attributes) =>
        (rules ?? []).Any(r => Fits(r.Operations, r.ApiGroups, r.ApiVersions, r.Resources, r.Scope, target, attributes) && (r.ResourceNames is not { Count: > 0 } names || names.Contains(attributes.Name)));

    private static bool Fits(List<string>? operations, List<string>? groups, List<string>? versions, List<string>? resources, string? scope, Target target, AdmissionAttributes attributes) =>
        Has(operations, attributes.Operation.ToString().ToUpperInvariant())
        && Has(groups, target.Group)
        && Has(versions, target.Version)
        && (resources ?? []).Any(r => FitsResource(r, target.Resource, attributes.Subresource))
        && (scope is null or "*" || (scope == "Namespaced") == (attributes.Namespace.Length > 0 && attributes.Resource != "namespaces"));

    private static bool FitsResource(string rule, string name, string part)
    {
        var slash = rule.IndexOf('/', StringComparison.Ordinal);
        var (resource, subresource) = slash < 0 ? (rule, "") : (rule[..slash], rule[(slash + 1)..]);
        return (resource == "*" || resource == name) && (subresource == part || (subresource == "*" && (slash > 0)));
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

    /// <summary>What the rules of one version are compared with.</summary>
    private readonly record struct Target(string Group, string Version, string Resource);
}
