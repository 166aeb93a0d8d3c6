using Hardway.Api.AdmissionRegistration.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.AdmissionRegistration;

/// <summary>Bindings of validating policies: where they count, and what a failed validation does.</summary>
internal sealed class ValidatingAdmissionPolicyBindingRules : KindRules<ValidatingAdmissionPolicyBinding>
{
    private static readonly string[] s_actions = ["Audit", "Deny", "Warn"];

    public override bool HasGeneration => true;

    public override bool AllowUnconditionalUpdate => false;

    public override IReadOnlyList<TableColumn> Columns => PolicyBindingRules.Columns;

    protected override IReadOnlyList<object?> Cells(ValidatingAdmissionPolicyBinding value, DateTimeOffset now) =>
        [value.Metadata.Name, value.Spec.PolicyName, PolicyBindingRules.Shown(value.Spec.ParamRef), Ages.Since(value.Metadata.CreationTimestamp, now)];

    protected override void Default(ValidatingAdmissionPolicyBinding value) => MatchingRules.Default(value.Spec.MatchResources);

    protected override void Validate(RuleContext context, ValidatingAdmissionPolicyBinding value, ErrorList errors)
    {
        PolicyBindingRules.Validate(value.Spec.PolicyName, value.Spec.ParamRef, value.Spec.MatchResources, errors);
        Actions(value.Spec.ValidationActions ?? [], FieldPath.Spec.Child("validationActions"), errors);
    }

    private static void Actions(List<string> actions, FieldPath path, ErrorList errors)
    {
        if (actions.Count == 0)
        {
            errors.Required(path, "at least one validation action is required");
        }

        for (var i = 0; i < actions.Count; i++)
        {
            if (!s_actions.Contains(actions[i]))
            {
                errors.NotSupported(path.Index(i), actions[i], s_actions);
            }

            if (actions.IndexOf(actions[i]) < i)
            {
                errors.Duplicate(path.Index(i), actions[i]);
            }
        }

        if (actions.Contains("Deny") && actions.Contains("Warn"))
        {
            errors.Invalid(path, string.Join(", ", actions), "must not contain both Deny and Warn: the answer would say the same twice");
        }
    }
}

/// <summary>Bindings of mutating policies.</summary>
internal sealed class MutatingAdmissionPolicyBindingRules : KindRules<MutatingAdmissionPolicyBinding>
{
    public override bool HasGeneration => true;

    public override bool AllowUnconditionalUpdate => false;

    public override IReadOnlyList<TableColumn> Columns => PolicyBindingRules.Columns;

    protected override IReadOnlyList<object?> Cells(MutatingAdmissionPolicyBinding value, DateTimeOffset now) =>
        [value.Metadata.Name, value.Spec.PolicyName, PolicyBindingRules.Shown(value.Spec.ParamRef), Ages.Since(value.Metadata.CreationTimestamp, now)];

    protected override void Default(MutatingAdmissionPolicyBinding value) => MatchingRules.Default(value.Spec.MatchResources);

    protected override void Validate(RuleContext context, MutatingAdmissionPolicyBinding value, ErrorList errors) =>
        PolicyBindingRules.Validate(value.Spec.PolicyName, value.Spec.ParamRef, value.Spec.MatchResources, errors);
}

/// <summary>What both sorts of bindings have in common.</summary>
internal static class PolicyBindingRules
{
    public static readonly TableColumn[] Columns =
    [
        new("PolicyName"),
        new("ParamRef"),
        new("Age"),
    ];

    /// <summary>NAMESPACE/NAME, or * where a selector picks them.</summary>
    public static string Shown(ParamRef? reference) => reference is null ? "<unset>"
        : (reference.Namespace.Length > 0 ? reference.Namespace + "/" : "*/") + (reference.Name.Length > 0 ? reference.Name : TableText.Of(reference.Selector));

    public static void Validate(string policy, ParamRef? reference, MatchResources? match, ErrorList errors)
    {
        var path = FieldPath.Spec;
        if (policy.Length == 0)
        {
            errors.Required(path.Child("policyName"));
        }
        else if (ObjectNames.DnsSubdomain(policy) is { } wrong)
        {
            errors.Invalid(path.Child("policyName"), policy, wrong);
        }

        if (reference is not null)
        {
            Reference(reference, path.Child("paramRef"), errors);
        }

        if (match is not null)
        {
            MatchingRules.Validate(match, path.Child("matchResources"), errors);
        }
    }

    private static void Reference(ParamRef reference, FieldPath path, ErrorList errors)
    {
        if (reference.Name.Length > 0 && ObjectNames.PathSegment(reference.Name, false) is { } wrong)
        {
            errors.Invalid(path.Child("name"), reference.Name, wrong);
        }

        WorkloadValidation.LabelSelector(errors, path.Child("selector"), reference.Selector);
        if (reference is { Name.Length: > 0, Selector: not null })
        {
            errors.Forbidden(path.Child("name"), "name and selector are mutually exclusive");
            errors.Forbidden(path.Child("selector"), "name and selector are mutually exclusive");
        }
        else if (reference.Name.Length == 0 && reference.Selector is null)
        {
            errors.Required(path, "one of name or selector must be specified");
        }

        if (reference.ParameterNotFoundAction is not { Length: > 0 } action)
        {
            errors.Required(path.Child("parameterNotFoundAction"));
        }
        else if (action is not ("Allow" or "Deny"))
        {
            errors.NotSupported(path.Child("parameterNotFoundAction"), action, "Allow", "Deny");
        }
    }
}
