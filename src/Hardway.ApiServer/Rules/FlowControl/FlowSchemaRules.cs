using Hardway.Api;
using Hardway.Api.FlowControl.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.FlowControl;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.FlowControl;

internal sealed class FlowSchemaRules : KindRules<FlowSchema>
{
    private const int MostPrecedence = 10_000;
    private static readonly string[] s_verbs = ["*", "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "proxy"];

    public override NameRule NameRule => NameRule.DnsSubdomain;

    public override bool HasStatus => true;

    public override bool HasGeneration => true;

    public override IReadOnlyList<TableColumn> Columns => [new("PriorityLevel"), new("MatchingPrecedence"), new("DistinguisherMethod"), new("Age"), new("MissingPL")];

    protected override void Default(FlowSchema value)
    {
        if (value.Spec.MatchingPrecedence == 0)
        {
            value.Spec.MatchingPrecedence = 1000;
        }
    }

    protected override void Validate(RuleContext context, FlowSchema value, ErrorList errors)
    {
        var spec = value.Spec;
        if (SuggestedConfiguration.FixedSchema(value.Metadata.Name) is { } mandatory && !ApiStruct.DeepEquals(spec, mandatory))
        {
            errors.Invalid(FieldPath.Spec, value.Metadata.Name, "a flow schema of this name is fixed");
        }

        var precedence = FieldPath.Spec.Child("matchingPrecedence");
        if (spec.MatchingPrecedence is <= 0 or > MostPrecedence)
        {
            errors.Invalid(precedence, spec.MatchingPrecedence, $"must be between 1 and {MostPrecedence}");
        }
        else if (spec.MatchingPrecedence == 1 && value.Metadata.Name != "exempt")
        {
            errors.Invalid(precedence, spec.MatchingPrecedence, "only the flow schema exempt has 1");
        }

        if (spec.DistinguisherMethod is { } method && method.Type is not ("ByUser" or "ByNamespace"))
        {
            errors.NotSupported(FieldPath.Spec.Child("distinguisherMethod", "type"), method.Type, "ByUser", "ByNamespace");
        }

        CheckLevel(spec.PriorityLevelConfiguration.Name, errors);
        for (var i = 0; i < spec.Rules?.Count; i++)
        {
            CheckRule(spec.Rules[i], FieldPath.Spec.Child("rules").Index(i), errors);
        }
    }

    protected override IReadOnlyList<object?> Cells(FlowSchema value, DateTimeOffset now) =>
    [
        value.Metadata.Name, value.Spec.PriorityLevelConfiguration.Name, value.Spec.MatchingPrecedence, value.Spec.DistinguisherMethod?.Type ?? "<none>", Ages.Since(value.Metadata.CreationTimestamp, now),
        value.Status.Conditions?.Find(c => c.Type == "Dangling")?.Status ?? "?",
    ];

    private static void CheckLevel(string name, ErrorList errors)
    {
        var path = FieldPath.Spec.Child("priorityLevelConfiguration", "name");
        if (name.Length == 0)
        {
            errors.Required(path, "a priority level must be named");
        }
        else
        {
            Names.CheckDnsSubdomain(errors, path, name);
        }
    }

    private static void CheckRule(PolicyRulesWithSubjects rule, FieldPath path, ErrorList errors)
    {
        if (rule.Subjects is not { Count: > 0 })
        {
            errors.Required(path.Child("subjects"), "at least one is needed");
        }

        for (var i = 0; i < rule.Subjects?.Count; i++)
        {
            CheckSubject(rule.Subjects[i], path.Child("subjects").Index(i), errors);
        }

        if (rule.ResourceRules is not { Count: > 0 } && rule.NonResourceRules is not { Count: > 0 })
        {
            errors.Required(path, "resourceRules or nonResourceRules must have one");
        }

        for (var i = 0; i < rule.ResourceRules?.Count; i++)
        {
            CheckResources(rule.ResourceRules[i], path.Child("resourceRules").Index(i), errors);
        }

        for (var i = 0; i < rule.NonResourceRules?.Count; i++)
        {
            CheckPaths(rule.NonResourceRules[i], path.Child("nonResourceRules").Index(i), errors);
        }
    }

    private static void CheckSubject(Subject subject, FieldPath path, ErrorList errors)
    {
        switch (subject.Kind)
        {
            case "User" or "Group" or "ServiceAccount":
                CheckMember(subject, "User", path.Child("user"), subject.User is not null, errors);
                CheckMember(subject, "Group", path.Child("group"), subject.Group is not null, errors);
                CheckMember(subject, "ServiceAccount", path.Child("serviceAccount"), subject.ServiceAccount is not null, errors);
                break;
            default:
                errors.NotSupported(path.Child("kind"), subject.Kind, "User", "Group", "ServiceAccount");
                return;
        }

        if (subject.User?.Name.Length == 0)
        {
            errors.Required(path.Child("user", "name"));
        }

        if (subject.Group?.Name.Length == 0)
        {
            errors.Required(path.Child("group", "name"));
        }

        if (subject.ServiceAccount is { } account)
        {
            Require(account.Name, path.Child("serviceAccount", "name"), errors);
            Require(account.Namespace, path.Child("serviceAccount", "namespace"), errors);
        }
    }

    private static void CheckMember(Subject subject, string kind, FieldPath path, bool isGiven, ErrorList errors)
    {
        if (subject.Kind == kind && !isGiven)
        {
            errors.Required(path, $"a subject of kind {kind} needs it");
        }
        else if (subject.Kind != kind && isGiven)
        {
            errors.Forbidden(path, $"only for a subject of kind {kind}");
        }
    }

    private static void CheckResources(ResourcePolicyRule rule, FieldPath path, ErrorList errors)
    {
        CheckVerbs(rule.Verbs, path, errors);
        CheckList(rule.ApiGroups, path.Child("apiGroups"), errors);
        CheckList(rule.Resources, path.Child("resources"), errors);
        if (rule.Namespaces is not { Count: > 0 } && !rule.ClusterScope)
        {
            errors.Required(path.Child("namespaces"), "a rule that is not for the cluster's scope needs a namespace");
        }

        CheckList(rule.Namespaces, path.Child("namespaces"), errors, needed: false);
        for (var i = 0; i < rule.Namespaces?.Count; i++)
        {
            if (rule.Namespaces[i] != "*")
            {
                Names.CheckDnsLabel(errors, path.Child("namespaces").Index(i), rule.Namespaces[i]);
            }
        }
    }

    private static void CheckPaths(NonResourcePolicyRule rule, FieldPath path, ErrorList errors)
    {
        CheckVerbs(rule.Verbs, path, errors, anyVerb: true);
        var urls = path.Child("nonResourceURLs");
        CheckList(rule.NonResourceURLs, urls, errors);
        for (var i = 0; i < rule.NonResourceURLs?.Count; i++)
        {
            var url = rule.NonResourceURLs[i];
            if (url != "*" && (!url.StartsWith('/') || url.Contains("//", StringComparison.Ordinal) || url.TrimEnd('*').Contains('*', StringComparison.Ordinal) || (url.EndsWith('*') && !url.EndsWith("/*", StringComparison.Ordinal))))
            {
                errors.Invalid(urls.Index(i), url, "must begin with '/', and may have '*' only as its last segment");
            }
        }
    }

    private static void CheckVerbs(List<string>? verbs, FieldPath path, ErrorList errors, bool anyVerb = false)
    {
        path = path.Child("verbs");
        CheckList(verbs, path, errors);
        var unknown = anyVerb ? [] : (verbs ?? []).Except(s_verbs).ToList();
        if (unknown.Count > 0)
        {
            errors.NotSupported(path, string.Join(',', unknown), s_verbs);
        }
    }

    private static void CheckList(List<string>? values, FieldPath path, ErrorList errors, bool needed = true)
    {
        if (values is not { Count: > 0 })
        {
            if (needed)
            {
                errors.Required(path, "at least one is needed");
            }
        }
        else if (values.Count > 1 && values.Contains("*"))
        {
            errors.Invalid(path, string.Join(',', values), "'*' stands alone");
        }
    }

    private static void Require(string text, FieldPath path, ErrorList errors)
    {
        if (text.Length == 0)
        {
            errors.Required(path);
        }
    }
}
