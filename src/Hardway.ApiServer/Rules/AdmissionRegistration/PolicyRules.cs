using Hardway.Api.AdmissionRegistration.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.AdmissionRegistration;

/// <summary>Policies that judge writes by expressions.</summary>
internal sealed class ValidatingAdmissionPolicyRules : KindRules<ValidatingAdmissionPolicy>
{
    private static readonly string[] s_reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"];

    public override bool HasStatus => true;

    public override bool HasGeneration => true;

    public override bool AllowUnconditionalUpdate => false;

    public override IReadOnlyList<TableColumn> Columns { get; } =
    [
        new("Validations", "integer"),
        new("ParamKind"),
        new("Age"),
    ];

    protected override IReadOnlyList<object?> Cells(ValidatingAdmissionPolicy value, DateTimeOffset now) =>
        [value.Metadata.Name, value.Spec.Validations?.Count ?? 0, PolicyRules.Shown(value.Spec.ParamKind), Ages.Since(value.Metadata.CreationTimestamp, now)];

    protected override void Default(ValidatingAdmissionPolicy value)
    {
        value.Spec.FailurePolicy ??= "Fail";
        MatchingRules.Default(value.Spec.MatchConstraints);
    }

    protected override void Validate(RuleContext context, ValidatingAdmissionPolicy value, ErrorList errors)
    {
        var (spec, path) = (value.Spec, FieldPath.Spec);
        var expressions = new PolicyExpressions(spec.ParamKind is not null);
        PolicyRules.Common(spec.FailurePolicy, spec.ParamKind, spec.MatchConstraints, path, errors);
        expressions.Conditions(spec.MatchConditions, path.Child("matchConditions"), errors);
        expressions.Variables(spec.Variables, path.Child("variables"), errors);
        if (spec.Validations is not { Count: > 0 } && spec.AuditAnnotations is not { Count: > 0 })
        {
            errors.Required(path.Child("validations"), "validations or auditAnnotations must contain at least one item");
            errors.Required(path.Child("auditAnnotations"), "validations or auditAnnotations must contain at least one item");
        }

        for (var i = 0; i < (spec.Validations?.Count ?? 0); i++)
        {
            Validation(spec.Validations![i], expressions, path.Child("validations").Index(i), errors);
        }

        Annotations(value.Metadata.Name, spec.AuditAnnotations ?? [], expressions, path.Child("auditAnnotations"), errors);
    }

    private static void Validation(Validation validation, PolicyExpressions expressions, FieldPath path, ErrorList errors)
    {
        expressions.Check(validation.Expression, path.Child("expression"), errors, Cel.CelDecl.Bool);
        var message = validation.Message.Trim();
        if (validation.Message.Length > 0 && message.Length == 0)
        {
            errors.Invalid(path.Child("message"), validation.Message, "message must be non-empty if specified");
        }
        else if (message.AsSpan().IndexOfAny('\n', '\r') >= 0)
        {
            errors.Invalid(path.Child("message"), validation.Message, "must not contain line breaks");
        }
        else if (message.Length == 0 && validation.MessageExpression.Length == 0 && validation.Expression.Trim().AsSpan().IndexOfAny('\n', '\r') >= 0)
        {
            errors.Required(path.Child("message"), "message must be specified if expression contains line breaks");
        }

        if (validation.MessageExpression.Length > 0)
        {
            if (validation.MessageExpression.Trim().Length == 0)
            {
                errors.Invalid(path.Child("messageExpression"), validation.MessageExpression, "must be non-empty if specified");
            }
            else
            {
                expressions.Check(validation.MessageExpression, path.Child("messageExpression"), errors, Cel.CelDecl.Text);
            }
        }

        if (validation.Reason is { Length: > 0 } reason && !s_reasons.Contains(reason))
        {
            errors.NotSupported(path.Child("reason"), reason, s_reasons);
        }
    }

    private static void Annotations(string policy, List<AuditAnnotation> annotations, PolicyExpressions expressions, FieldPath path, ErrorList errors)
    {
        for (var i = 0; i < annotations.Count; i++)
        {
            var (annotation, at) = (annotations[i], path.Index(i));
            if (annotation.Key.Length == 0)
            {
                errors.Required(at.Child("key"));
            }
            else if (ObjectNames.QualifiedName(policy + "/" + annotation.Key) is { } wrong)
            {
                errors.Invalid(at.Child("key"), policy + "/" + annotation.Key, wrong);
            }
            else if (annotations.FindIndex(a => a.Key == annotation.Key) < i)
            {
                errors.Duplicate(at.Child("key"), annotation.Key);
            }

            if (annotation.ValueExpression.Length > 5 * 1024)
            {
                errors.TooLong(at.Child("valueExpression"), 5 * 1024);
            }

            expressions.Check(annotation.ValueExpression, at.Child("valueExpression"), errors, Cel.CelDecl.Text, Cel.CelDecl.Null);
        }
    }
}

/// <summary>Policies that change what is written.</summary>
internal sealed class MutatingAdmissionPolicyRules : KindRules<MutatingAdmissionPolicy>
{
    public override bool HasGeneration => true;

    public override bool AllowUnconditionalUpdate => false;

    public override IReadOnlyList<TableColumn> Columns { get; } =
    [
        new("Mutations", "integer"),
        new("ParamKind"),
        new("Age"),
    ];

    protected override IReadOnlyList<object?> Cells(MutatingAdmissionPolicy value, DateTimeOffset now) =>
        [value.Metadata.Name, value.Spec.Mutations?.Count ?? 0, PolicyRules.Shown(value.Spec.ParamKind), Ages.Since(value.Metadata.CreationTimestamp, now)];

    protected override void Default(MutatingAdmissionPolicy value)
    {
        value.Spec.FailurePolicy ??= "Fail";
        value.Spec.ReinvocationPolicy = value.Spec.ReinvocationPolicy.Length == 0 ? "Never" : value.Spec.ReinvocationPolicy;
        MatchingRules.Default(value.Spec.MatchConstraints);
    }

    protected override void Validate(RuleContext context, MutatingAdmissionPolicy value, ErrorList errors)
    {
        var (spec, path) = (value.Spec, FieldPath.Spec);
        var expressions = new PolicyExpressions(spec.ParamKind is not null);
        PolicyRules.Common(spec.FailurePolicy, spec.ParamKind, spec.MatchConstraints, path, errors);
        if (spec.ReinvocationPolicy is not ("Never" or "IfNeeded"))
        {
            errors.NotSupported(path.Child("reinvocationPolicy"), spec.ReinvocationPolicy, "IfNeeded", "Never");
        }

        expressions.Conditions(spec.MatchConditions, path.Child("matchConditions"), errors);
        expressions.Variables(spec.Variables, path.Child("variables"), errors);
        if (spec.Mutations is not { Count: > 0 } mutations)
        {
            errors.Required(path.Child("mutations"), "mutations must contain at least one item");
            return;
        }

        for (var i = 0; i < mutations.Count; i++)
        {
            expressions.Mutation(mutations[i], path.Child("mutations").Index(i), errors);
        }
    }
}

/// <summary>What both sorts of policies have in common.</summary>
internal static class PolicyRules
{
    public static string Shown(ParamKind? kind) => kind is null ? "<unset>" : $"{kind.ApiVersion}/{kind.Kind}";

    public static void Common(string? failurePolicy, ParamKind? kind, MatchResources? match, FieldPath path, ErrorList errors)
    {
        if (failurePolicy is null)
        {
            errors.Required(path.Child("failurePolicy"));
        }
        else if (failurePolicy is not ("Fail" or "Ignore"))
        {
            errors.NotSupported(path.Child("failurePolicy"), failurePolicy, "Fail", "Ignore");
        }

        if (kind is not null)
        {
            Kind(kind, path.Child("paramKind"), errors);
        }

        if (match is null)
        {
            errors.Required(path.Child("matchConstraints"));
            return;
        }

        MatchingRules.Validate(match, path.Child("matchConstraints"), errors);
        if (match.ResourceRules is not { Count: > 0 })
        {
            errors.Required(path.Child("matchConstraints", "resourceRules"));
        }
    }

    private static void Kind(ParamKind kind, FieldPath path, ErrorList errors)
    {
        if (kind.ApiVersion.Length == 0)
        {
            errors.Required(path.Child("apiVersion"));
        }
        else if (kind.ApiVersion.Count(c => c == '/') > 1 || ObjectNames.Dns1035(kind.ApiVersion[(kind.ApiVersion.IndexOf('/', StringComparison.Ordinal) + 1)..]) is not null)
        {
            errors.Invalid(path.Child("apiVersion"), kind.ApiVersion, "is no VERSION and no GROUP/VERSION");
        }

        if (kind.Kind.Length == 0)
        {
            errors.Required(path.Child("kind"));
        }
        else if (ObjectNames.Dns1035(kind.Kind.ToLowerInvariant()) is { } wrong)
        {
            errors.Invalid(path.Child("kind"), kind.Kind, "may have mixed case, but should otherwise match: " + wrong);
        }
    }
}
