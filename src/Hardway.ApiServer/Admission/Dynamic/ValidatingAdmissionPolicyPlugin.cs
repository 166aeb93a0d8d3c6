using Hardway.Api.AdmissionRegistration.V1;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Authorization;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.Cel;

namespace Hardway.ApiServer.Admission.Dynamic;

/// <summary>Policies in CEL (KEP-3488): for each binding of a policy that is about the write, the policy's expressions must hold, or it is refused, warned about or noted.</summary>
internal sealed class ValidatingAdmissionPolicyPlugin(IResourceReader reader, IAuthorizer authorizer) : AdmissionPlugin
{
    private const int LongestMessage = 5 * 1024;
    private readonly MatchRules _match = new(reader);
    private readonly PolicyParameters _parameters = new(reader);
    private readonly CompiledExpressions _expressions = new();

    public override string Name => "ValidatingAdmissionPolicy";

    public override AdmissionOperation Operations => AdmissionOperation.All;

    public override ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (!MatchRules.IsExempt(attributes))
        {
            foreach (var binding in reader.List<ValidatingAdmissionPolicyBinding>())
            {
                if (reader.Get<ValidatingAdmissionPolicy>("", binding.Spec.PolicyName) is { } policy
                    && _match.Fits(policy.Spec.MatchConstraints, attributes) && _match.Fits(binding.Spec.MatchResources, attributes))
                {
                    Judge(policy, binding, attributes);
                }
            }
        }

        return ValueTask.CompletedTask;
    }

    private void Judge(ValidatingAdmissionPolicy policy, ValidatingAdmissionPolicyBinding binding, AdmissionAttributes attributes)
    {
        var budget = new CelBudget(AdmissionVariables.Budget);
        var ignores = policy.Spec.FailurePolicy == "Ignore";
        try
        {
            foreach (var parameters in _parameters.Find(policy.Spec.ParamKind, binding.Spec.ParamRef, attributes))
            {
                var variables = Variables(policy, attributes, parameters, budget);
                if (!_expressions.AllHold(policy.Spec.MatchConditions, variables, budget))
                {
                    return;
                }

                foreach (var validation in policy.Spec.Validations ?? [])
                {
                    Check(policy, binding, validation, attributes, variables, budget);
                }

                Annotate(policy, attributes, variables, budget);
            }
        }
        catch (CelException) when (ignores)
        {
            // The policy says that what cannot be judged passes.
        }
        catch (CelException e)
        {
            Refuse(policy, binding, attributes, e.Message, null);
        }
    }

    private Dictionary<string, object?> Variables(ValidatingAdmissionPolicy policy, AdmissionAttributes attributes, Dictionary<string, object?>? parameters, CelBudget budget)
    {
        var variables = AdmissionVariables.Of(attributes, authorizer, _match.NamespaceOf(attributes));
        variables["params"] = parameters;
        variables["variables"] = new PolicyVariables((policy.Spec.Variables ?? []).Select(v => (v.Name, v.Expression)), expression => _expressions.Evaluate(expression, variables, budget));
        return variables;
    }

    private void Check(ValidatingAdmissionPolicy policy, ValidatingAdmissionPolicyBinding binding, Validation validation, AdmissionAttributes attributes, Dictionary<string, object?> variables, CelBudget budget)
    {
        object? value;
        try
        {
            value = _expressions.Evaluate(validation.Expression, variables, budget);
        }
        catch (CelException e)
        {
            if (policy.Spec.FailurePolicy != "Ignore")
            {
                Refuse(policy, binding, attributes, $"expression '{validation.Expression}' resulted in error: {e.Message}", null);
            }

            return;
        }

        if (value is not true)
        {
            Refuse(policy, binding, attributes, MessageOf(validation, variables, budget), validation.Reason);
        }
    }

    private string MessageOf(Validation validation, Dictionary<string, object?> variables, CelBudget budget)
    {
        if (validation.MessageExpression.Length > 0)
        {
            try
            {
                if (_expressions.Evaluate(validation.MessageExpression, variables, budget) is string text && text.Trim() is { Length: > 0 and <= LongestMessage } trimmed && !trimmed.Contains('\n', StringComparison.Ordinal))
                {
                    return trimmed;
                }
            }
            catch (CelException)
            {
                // The plain message then.
            }
        }

        return validation.Message.Trim() is { Length: > 0 } message ? message : "failed expression: " + validation.Expression.Trim();
    }

    private void Annotate(ValidatingAdmissionPolicy policy, AdmissionAttributes attributes, Dictionary<string, object?> variables, CelBudget budget)
    {
        foreach (var annotation in policy.Spec.AuditAnnotations ?? [])
        {
            if (_expressions.Evaluate(annotation.ValueExpression, variables, budget) is string { Length: > 0 } text)
            {
                attributes.Annotate($"{policy.Metadata.Name}/{annotation.Key}", text);
            }
        }
    }

    private static void Refuse(ValidatingAdmissionPolicy policy, ValidatingAdmissionPolicyBinding binding, AdmissionAttributes attributes, string message, string? reason)
    {
        var actions = binding.Spec.ValidationActions ?? [];
        var text = $"ValidatingAdmissionPolicy '{policy.Metadata.Name}' with binding '{binding.Metadata.Name}' denied request: {message}";
        if (actions.Contains("Audit"))
        {
            attributes.Annotate("validation.policy.admission.k8s.io/validation_failure", text);
        }

        if (actions.Contains("Warn"))
        {
            attributes.Warn($"Validation failed for ValidatingAdmissionPolicy '{policy.Metadata.Name}' with binding '{binding.Metadata.Name}': {message}");
        }

        if (!actions.Contains("Deny"))
        {
            return;
        }

        var (code, why) = reason switch
        {
            StatusReason.Unauthorized => (401, reason),
            StatusReason.Forbidden => (403, reason),
            StatusReason.RequestEntityTooLarge => (413, reason),
            _ => (422, StatusReason.Invalid),
        };
        var refusal = Statuses.Forbidden(attributes.Group, attributes.Resource, attributes.Name, text).Status;
        refusal.Details!.Causes = [new StatusCause { Message = text }];
        throw Statuses.Make(code, why, refusal.Message, refusal.Details);
    }
}
