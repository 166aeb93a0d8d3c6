using Hardway.Api;
using Hardway.Api.AdmissionRegistration.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Tells in a policy's status which of its expressions read fields that a kind it is for does not have. Policies for all kinds or for kinds the schema does
/// not know (custom ones) are not judged. Keys are policies.
/// </summary>
internal sealed class ValidatingAdmissionPolicyStatusController : ClusterController
{
    private const int MostKinds = 10;
    private readonly Informer<ValidatingAdmissionPolicy> _policies;

    public ValidatingAdmissionPolicyStatusController(ControllerContext context) : base("validatingadmissionpolicy-status-controller", "validatingadmissionpolicy-status-controller", context)
    {
        _policies = Watch<ValidatingAdmissionPolicy>();
        _policies.AddHandler(p => Queue.Add(p.Metadata.Name), (_, p) => Queue.Add(p.Metadata.Name));
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_policies.Store.Get(key) is not { } policy || policy.Metadata.Generation <= policy.Status.ObservedGeneration) return;
        var changed = policy.Clone();
        changed.Status.ObservedGeneration = policy.Metadata.Generation;
        var warnings = Warnings(policy);
        changed.Status.TypeChecking = new TypeChecking { ExpressionWarnings = warnings.Count > 0 ? warnings : null };
        await Client.UpdateStatusAsync(changed, cancellationToken);
    }

    internal static List<ExpressionWarning> Warnings(ValidatingAdmissionPolicy policy)
    {
        List<ExpressionWarning> warnings = [];
        var kinds = Kinds(policy).Take(MostKinds).ToList();
        foreach (var (field, expression) in Expressions(policy))
        {
            var found = kinds.SelectMany(k => ExpressionFields.Undefined(expression, k).Select(w => $"{k.ApiVersion}, Kind={k.Kind}: {w}")).ToList();
            if (found.Count > 0) warnings.Add(new ExpressionWarning { FieldRef = field, Warning = string.Join("\n", found) });
        }
        return warnings;
    }

    private static IEnumerable<(string Field, string Expression)> Expressions(ValidatingAdmissionPolicy policy)
    {
        for (var i = 0; i < (policy.Spec.Validations?.Count ?? 0); i++)
        {
            var validation = policy.Spec.Validations![i];
            yield return ($"spec.validations[{i}].expression", validation.Expression);
            if (validation.MessageExpression.Length > 0) yield return ($"spec.validations[{i}].messageExpression", validation.MessageExpression);
        }
        for (var i = 0; i < (policy.Spec.Variables?.Count ?? 0); i++) yield return ($"spec.variables[{i}].expression", policy.Spec.Variables![i].Expression);
        for (var i = 0; i < (policy.Spec.MatchConditions?.Count ?? 0); i++) yield return ($"spec.matchConditions[{i}].expression", policy.Spec.MatchConditions![i].Expression);
        for (var i = 0; i < (policy.Spec.AuditAnnotations?.Count ?? 0); i++) yield return ($"spec.auditAnnotations[{i}].valueExpression", policy.Spec.AuditAnnotations![i].ValueExpression);
    }

    /// <summary>The kinds that rules name outright; a rule with a wildcard names none.</summary>
    private static IEnumerable<TypeSchema> Kinds(ValidatingAdmissionPolicy policy)
    {
        HashSet<TypeSchema> seen = [];
        foreach (var rule in policy.Spec.MatchConstraints?.ResourceRules ?? [])
        {
            foreach (var group in rule.ApiGroups ?? [])
            foreach (var version in rule.ApiVersions ?? [])
            foreach (var resource in rule.Resources ?? [])
            {
                if (ApiCatalog.Find(group, version, resource) is { } info && ApiCatalog.FindKindSchema(group, version, info.Kind) is { } schema && seen.Add(schema)) yield return schema;
            }
        }
    }
}
