using Hardway.Api.NodeApi.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Rules.Core;

namespace Hardway.ApiServer.Rules.NodeApi;

internal sealed class RuntimeClassRules : KindRules<RuntimeClass>
{
    public override bool AllowUnconditionalUpdate => false;

    /// <summary>Upstream describes no handler, and clients compare columns whole.</summary>
    public override IReadOnlyList<TableColumn> Columns => [new("Handler", Description: ""), new("Age")];

    protected override void Validate(RuleContext context, RuntimeClass value, ErrorList errors)
    {
        if (value.Handler.Length == 0)
        {
            errors.Required(FieldPath.Of("handler"));
        }
        else
        {
            Names.CheckDnsLabel(errors, FieldPath.Of("handler"), value.Handler);
        }

        foreach (var (name, amount) in value.Overhead?.PodFixed ?? [])
        {
            if (amount.Sign < 0)
            {
                errors.Invalid(FieldPath.Of("overhead", "limits").Key(name), amount.ToString(), "must be greater than or equal to 0");
            }
        }

        if (value.Scheduling is { } scheduling)
        {
            Names.CheckLabels(errors, FieldPath.Of("scheduling", "nodeSelector"), scheduling.NodeSelector);
            PodSchedulingValidation.Tolerations(scheduling.Tolerations, FieldPath.Of("scheduling", "tolerations"), errors);
        }
    }

    protected override void ValidateUpdate(RuleContext context, RuntimeClass value, RuntimeClass old, ErrorList errors)
    {
        Validate(context, value, errors);
        WorkloadValidation.Immutable(errors, FieldPath.Of("handler"), value.Handler, old.Handler);
    }

    protected override IReadOnlyList<object?> Cells(RuntimeClass value, DateTimeOffset now) =>
        [value.Metadata.Name, value.Handler, Ages.Since(value.Metadata.CreationTimestamp, now)];
}
