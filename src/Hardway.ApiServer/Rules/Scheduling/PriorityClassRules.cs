using Hardway.Api.Scheduling.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Scheduling;

internal sealed class PriorityClassRules : KindRules<PriorityClass>
{
    private const int HighestUserValue = 1_000_000_000;

    private static readonly Dictionary<string, int> s_system = new(StringComparer.Ordinal)
    {
        ["system-node-critical"] = 2_000_001_000,
        ["system-cluster-critical"] = 2_000_000_000,
    };

    public override bool HasGeneration => true;

    public override IReadOnlyList<string> GenerationFields => ["value"];

    public override IReadOnlyList<TableColumn> Columns => [new("Value", "integer"), new("Global-Default", "boolean"), new("Age"), new("PreemptionPolicy")];

    protected override void Default(PriorityClass value) => value.PreemptionPolicy ??= "PreemptLowerPriority";

    protected override void Validate(RuleContext context, PriorityClass value, ErrorList errors)
    {
        if (value.Metadata.Name.StartsWith("system-", StringComparison.Ordinal))
        {
            if (!s_system.TryGetValue(value.Metadata.Name, out var expected) || expected != value.Value)
            {
                errors.Forbidden(FieldPath.Metadata.Child("name"), "priority class names with 'system-' prefix are reserved for system use only");
            }
        }
        else if (value.Value > HighestUserValue)
        {
            errors.Forbidden(FieldPath.Of("value"), $"maximum allowed value of a user defined priority is {HighestUserValue}");
        }

        if (value.PreemptionPolicy is { } policy && policy is not ("PreemptLowerPriority" or "Never"))
        {
            errors.NotSupported(FieldPath.Of("preemptionPolicy"), policy, "Never", "PreemptLowerPriority");
        }
    }

    protected override void ValidateUpdate(RuleContext context, PriorityClass value, PriorityClass old, ErrorList errors)
    {
        if (value.Value != old.Value)
        {
            errors.Forbidden(FieldPath.Of("value"), "may not be changed in an update");
        }

        WorkloadValidation.Immutable(errors, FieldPath.Of("preemptionPolicy"), value.PreemptionPolicy, old.PreemptionPolicy);
    }

    protected override IReadOnlyList<object?> Cells(PriorityClass value, DateTimeOffset now) =>
        [value.Metadata.Name, (long)value.Value, value.GlobalDefault, Ages.Since(value.Metadata.CreationTimestamp, now), value.PreemptionPolicy ?? ""];
}
