using Hardway.Api.AdmissionRegistration.V1;
using Hardway.ApiServer.Authorization;
using Hardway.ApiServer.Registry;
using Hardway.Cel;

namespace Hardway.ApiServer.Admission.Dynamic;

/// <summary>Policies in CEL (KEP-3488): for each binding of a policy that is about the write, the policy's expressions must hold, or it is refused, warned about or noted.</summary>
internal sealed class ValidatingAdmissionPolicyPlugin(IResourceReader reader, ResourceScheme scheme, IAuthorizer authorizer) : AdmissionPlugin
{
    private const int LongestMessage = 5 * 1024;
    private readonly MatchRules _match = new(reader, scheme);
    private readonly PolicyParameters _parameters = new(reader);
    private readonly CompiledExpressions _expressions = new();

    public override string Name => "ValidatingAdmissionPolicy";

    public override AdmissionOperation Operations => AdmissionOperation.All;

    public override async ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (MatchRules.IsExempt(attributes))
        {
            return;
        }

        // All are asked, for their warnings and annotations; the first denial is the answer.
        var verdicts = new PolicyVerdicts(attributes);
        foreach (var binding in reader.List<ValidatingAdmissionPolicyBinding>().OrderBy(b => b.Metadata.Name, StringComparer.Ordinal))
        {
            if (reader.Get<ValidatingAdmissionPolicy>("", binding.Spec.PolicyName) is { } policy
                && _match.Match(policy.Spec.MatchConstraints, attributes) is { Fits: true } match && _match.Match(binding.Spec.MatchResources, attributes).Fits)
            {
                Judge(policy, binding, await VersionedWrites.ShowAsync(attributes, match.Version, cancellationToken).ConfigureAwait(false), verdicts);
            }
        }

        verdicts.Close();
    }

    private void Judge(ValidatingAdmissionPolicy policy, ValidatingAdmissionPolicyBinding binding, AdmissionAttributes attributes, PolicyVerdicts verdicts)
    {
        var budget = new CelBudget(AdmissionVariables.Budget);
        try
        {
            foreach (var parameters in _parameters.Find(policy.Spec.ParamKind, binding.Spec.ParamRef, attributes))
            {
                var variables = Variables(policy, attributes, parameters, budget);
                if (!_expressions.AllHold(policy.Spec.MatchConditions, variables, budget))
                {
                    return;
                }

                for (var i = 0; i < (policy.Spec.Validations?.Count ?? 0); i++)
                {
                    Check(policy, binding, i, variables, budget, verdicts);
                }

                foreach (var annotation in policy.Spec.AuditAnnotations ?? [])
                {
                    if (_expressions.Evaluate(annotation.ValueExpression, variables, budget) is string { Length: > 0 } text)
                    {
                        verdicts.Annotate($"{policy.Metadata.Name}/{annotation.Key}", text);
                    }
                }
            }
        }
        catch (CelException) when (policy.Spec.FailurePolicy == "Ignore")
        {
            // The policy says that what cannot be judged passes.
        }
        catch (CelException e)
        {
            verdicts.Refuse(policy, binding, 0, e.Message, null);
        }
    }

    private Dictionary<string, object?> Variables(ValidatingAdmissionPolicy policy, AdmissionAttributes attributes, Dictionary<string, object?>? parameters, CelBudget budget)
    {
        var variables = AdmissionVariables.Of(attributes, authorizer, _match.NamespaceOf(attributes));
        variables["params"] = parameters;
        variables["variables"] = new PolicyVariables((policy.Spec.Variables ?? []).Select(v => (v.Name, v.Expression)), expression => _expressions.Evaluate(expression, variables, budget));
        return variables;
    }

    private void Check(ValidatingAdmissionPolicy policy, ValidatingAdmissionPolicyBinding binding, int index, Dictionary<string, object?> variables, CelBudget budget, PolicyVerdicts verdicts)
    {
        var validation = policy.Spec.Validations![index];
        object? value;
        try
        {
            value = _expressions.Evaluate(validation.Expression, variables, budget);
        }
        catch (CelException e)
        {
            if (policy.Spec.FailurePolicy != "Ignore")
            {
                verdicts.Refuse(policy, binding, index, $"expression '{validation.Expression}' resulted in error: {e.Message}", null);
            }

            return;
        }

        if (value is not true)
        {
            verdicts.Refuse(policy, binding, index, MessageOf(validation, variables, budget), validation.Reason);
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
}
