using Hardway.Api.Coordination.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Coordination;

internal sealed class LeaseRules : KindRules<Lease>
{
    public override bool AllowCreateOnUpdate => true;

    public override bool AllowUnconditionalUpdate => false;

    public override IReadOnlyList<TableColumn> Columns => [new("Holder"), new("Age")];

    protected override void Validate(RuleContext context, Lease value, ErrorList errors)
    {
        if (value.Spec.LeaseDurationSeconds <= 0)
        {
            errors.Invalid(FieldPath.Spec.Child("leaseDurationSeconds"), value.Spec.LeaseDurationSeconds, "must be greater than 0");
        }

        if (value.Spec.LeaseTransitions < 0)
        {
            errors.Invalid(FieldPath.Spec.Child("leaseTransitions"), value.Spec.LeaseTransitions, "must be greater than or equal to 0");
        }
    }

    protected override IReadOnlyList<object?> Cells(Lease value, DateTimeOffset now) =>
        [value.Metadata.Name, value.Spec.HolderIdentity ?? "", Ages.Since(value.Metadata.CreationTimestamp, now)];
}
