using Hardway.Api.Policy.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Policy;

internal sealed class PodDisruptionBudgetRules : KindRules<PodDisruptionBudget>
{
    public override bool HasStatus => true;

    public override bool HasGeneration => true;

    public override bool AllowUnconditionalUpdate => false;

    public override IReadOnlyList<TableColumn> Columns => [new("Min Available"), new("Max Unavailable"), new("Allowed Disruptions", "integer"), new("Age")];

    protected override void Validate(RuleContext context, PodDisruptionBudget value, ErrorList errors)
    {
        if (value.Spec.MinAvailable is not null && value.Spec.MaxUnavailable is not null)
        {
            errors.Invalid(FieldPath.Spec, "", "minAvailable and maxUnavailable cannot be both set");
        }

        WorkloadValidation.CountOrPercent(errors, FieldPath.Spec.Child("minAvailable"), value.Spec.MinAvailable);
        WorkloadValidation.CountOrPercent(errors, FieldPath.Spec.Child("maxUnavailable"), value.Spec.MaxUnavailable);
        WorkloadValidation.LabelSelector(errors, FieldPath.Spec.Child("selector"), value.Spec.Selector);
        if (value.Spec.UnhealthyPodEvictionPolicy is { } policy && policy is not ("AlwaysAllow" or "IfHealthyBudget"))
        {
            errors.NotSupported(FieldPath.Spec.Child("unhealthyPodEvictionPolicy"), policy, "AlwaysAllow", "IfHealthyBudget");
        }
    }

    protected override void ValidateUpdate(RuleContext context, PodDisruptionBudget value, PodDisruptionBudget old, ErrorList errors)
    {
        if (context.Subresource != "status")
        {
            Validate(context, value, errors);
            return;
        }

        foreach (var (name, count) in new[] { ("disruptionsAllowed", value.Status.DisruptionsAllowed), ("currentHealthy", value.Status.CurrentHealthy), ("desiredHealthy", value.Status.DesiredHealthy), ("expectedPods", value.Status.ExpectedPods) })
        {
            WorkloadValidation.Count(errors, FieldPath.Status.Child(name), count);
        }
    }

    protected override IReadOnlyList<object?> Cells(PodDisruptionBudget value, DateTimeOffset now) =>
        [value.Metadata.Name, value.Spec.MinAvailable?.ToString() ?? "N/A", value.Spec.MaxUnavailable?.ToString() ?? "N/A", (long)value.Status.DisruptionsAllowed, Ages.Since(value.Metadata.CreationTimestamp, now)];
}
