using Hardway.Api;
using Hardway.Api.Rbac.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Rbac;

/// <summary>What the four kinds have in common: names of any form, and checks of rules, references and subjects.</summary>
internal static class RbacValidation
{
    public static void Rules(List<PolicyRule>? rules, bool namespaced, ErrorList errors)
    {
        for (var i = 0; i < (rules?.Count ?? 0); i++)
        {
            var rule = rules![i];
            var path = FieldPath.Of("rules").Index(i);
            if (rule.Verbs is null or { Count: 0 })
            {
                errors.Required(path.Child("verbs"), "verbs must contain at least one value");
            }

            if (rule.NonResourceURLs is { Count: > 0 })
            {
                if (namespaced)
                {
                    errors.Invalid(path.Child("nonResourceURLs"), string.Join(',', rule.NonResourceURLs), "namespaced rules cannot apply to non-resource URLs");
                }

                if (rule.ApiGroups is { Count: > 0 } || rule.Resources is { Count: > 0 } || rule.ResourceNames is { Count: > 0 })
                {
                    errors.Invalid(path.Child("nonResourceURLs"), string.Join(',', rule.NonResourceURLs), "rules cannot apply to both regular resources and non-resource URLs");
                }

                continue;
            }

            if (rule.ApiGroups is null or { Count: 0 })
            {
                errors.Required(path.Child("apiGroups"), "resource rules must supply at least one api group");
            }

            if (rule.Resources is null or { Count: 0 })
            {
                errors.Required(path.Child("resources"), "resource rules must supply at least one resource");
            }
        }
    }

    public static void Binding(RoleRef role, List<Subject>? subjects, string[] kinds, bool namespaced, ErrorList errors)
    {
        var path = FieldPath.Of("roleRef");
        if (role.ApiGroup != "rbac.authorization.k8s.io")
        {
            errors.NotSupported(path.Child("apiGroup"), role.ApiGroup, "rbac.authorization.k8s.io");
        }

        if (!kinds.Contains(role.Kind))
        {
            errors.NotSupported(path.Child("kind"), role.Kind, kinds);
        }

        if (role.Name.Length == 0)
        {
            errors.Required(path.Child("name"));
        }
        else if (ObjectNames.PathSegment(role.Name, false) is { } wrong)
        {
            errors.Invalid(path.Child("name"), role.Name, wrong);
        }

        for (var i = 0; i < (subjects?.Count ?? 0); i++)
        {
            Check(subjects![i], namespaced, FieldPath.Of("subjects").Index(i), errors);
        }
    }

    public static void SameRole(RoleRef role, RoleRef old, ErrorList errors)
    {
        if (!ApiStruct.DeepEquals(role, old))
        {
            errors.Invalid(FieldPath.Of("roleRef"), role.Name, "cannot change roleRef");
        }
    }

    /// <summary>The groups of subjects follow from their kinds.</summary>
    public static void Default(RoleRef role, List<Subject>? subjects)
    {
        role.ApiGroup = role.ApiGroup.Length == 0 ? "rbac.authorization.k8s.io" : role.ApiGroup;
        foreach (var subject in subjects ?? [])
        {
            if (subject.ApiGroup.Length == 0 && subject.Kind is "User" or "Group")
            {
                subject.ApiGroup = "rbac.authorization.k8s.io";
            }
        }
    }

    private static void Check(Subject subject, bool namespaced, FieldPath path, ErrorList errors)
    {
        if (subject.Name.Length == 0)
        {
            errors.Required(path.Child("name"));
        }

        switch (subject.Kind)
        {
            case "ServiceAccount":
                if (subject.Name.Length > 0 && ObjectNames.DnsSubdomain(subject.Name) is { } wrong)
                {
                    errors.Invalid(path.Child("name"), subject.Name, wrong);
                }

                if (subject.ApiGroup.Length > 0)
                {
                    errors.NotSupported(path.Child("apiGroup"), subject.ApiGroup, "");
                }

                if (!namespaced && subject.Namespace.Length == 0)
                {
                    errors.Required(path.Child("namespace"));
                }

                break;
            case "User" or "Group":
                if (subject.ApiGroup != "rbac.authorization.k8s.io")
                {
                    errors.NotSupported(path.Child("apiGroup"), subject.ApiGroup, "rbac.authorization.k8s.io");
                }

                break;
            default:
                errors.NotSupported(path.Child("kind"), subject.Kind, "ServiceAccount", "User", "Group");
                break;
        }
    }
}

internal sealed class RoleRules : KindRules<Role>
{
    public override NameRule NameRule => NameRule.PathSegment;

    protected override void Validate(RuleContext context, Role value, ErrorList errors) => RbacValidation.Rules(value.Rules, true, errors);
}

internal sealed class ClusterRoleRules : KindRules<ClusterRole>
{
    public override NameRule NameRule => NameRule.PathSegment;

    protected override void Validate(RuleContext context, ClusterRole value, ErrorList errors)
    {
        RbacValidation.Rules(value.Rules, false, errors);
        if (value.AggregationRule is not { } aggregation)
        {
            return;
        }

        var path = FieldPath.Of("aggregationRule", "clusterRoleSelectors");
        if (aggregation.ClusterRoleSelectors is null or { Count: 0 })
        {
            errors.Required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil");
        }

        for (var i = 0; i < aggregation.ClusterRoleSelectors?.Count; i++)
        {
            var (selector, at) = (aggregation.ClusterRoleSelectors[i], path.Index(i));
            WorkloadValidation.LabelSelector(errors, at, selector);
            if (!IsUsable(selector))
            {
                errors.Invalid(at, null, "is no label selector");
            }
        }
    }

    private static bool IsUsable(Api.Meta.V1.LabelSelector selector)
    {
        try
        {
            return Selector.From(selector) is not null;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}

internal sealed class RoleBindingRules : KindRules<RoleBinding>
{
    public override NameRule NameRule => NameRule.PathSegment;

    public override IReadOnlyList<TableColumn> Columns =>
        [new("Role"), new("Age"), new("Users", Priority: 1), new("Groups", Priority: 1), new("ServiceAccounts", Priority: 1)];

    protected override void Default(RoleBinding value) => RbacValidation.Default(value.RoleRef, value.Subjects);

    protected override void Validate(RuleContext context, RoleBinding value, ErrorList errors) =>
        RbacValidation.Binding(value.RoleRef, value.Subjects, ["Role", "ClusterRole"], true, errors);

    protected override void ValidateUpdate(RuleContext context, RoleBinding value, RoleBinding old, ErrorList errors)
    {
        Validate(context, value, errors);
        RbacValidation.SameRole(value.RoleRef, old.RoleRef, errors);
    }

    protected override IReadOnlyList<object?> Cells(RoleBinding value, DateTimeOffset now) => BindingRow.Cells(value, value.RoleRef, value.Subjects, now);
}

internal sealed class ClusterRoleBindingRules : KindRules<ClusterRoleBinding>
{
    public override NameRule NameRule => NameRule.PathSegment;

    public override IReadOnlyList<TableColumn> Columns =>
        [new("Role"), new("Age"), new("Users", Priority: 1), new("Groups", Priority: 1), new("ServiceAccounts", Priority: 1)];

    protected override void Default(ClusterRoleBinding value) => RbacValidation.Default(value.RoleRef, value.Subjects);

    protected override void Validate(RuleContext context, ClusterRoleBinding value, ErrorList errors) =>
        RbacValidation.Binding(value.RoleRef, value.Subjects, ["ClusterRole"], false, errors);

    protected override void ValidateUpdate(RuleContext context, ClusterRoleBinding value, ClusterRoleBinding old, ErrorList errors)
    {
        Validate(context, value, errors);
        RbacValidation.SameRole(value.RoleRef, old.RoleRef, errors);
    }

    protected override IReadOnlyList<object?> Cells(ClusterRoleBinding value, DateTimeOffset now) => BindingRow.Cells(value, value.RoleRef, value.Subjects, now);
}

internal static class BindingRow
{
    public static IReadOnlyList<object?> Cells(KubeObject value, RoleRef role, List<Subject>? subjects, DateTimeOffset now)
    {
        string Names(string kind) => string.Join(", ", (subjects ?? []).Where(s => s.Kind == kind).Select(s => kind == "ServiceAccount" ? s.Namespace + "/" + s.Name : s.Name));
        return [value.Metadata.Name, role.Kind + "/" + role.Name, Ages.Since(value.Metadata.CreationTimestamp, now), Names("User"), Names("Group"), Names("ServiceAccount")];
    }
}
