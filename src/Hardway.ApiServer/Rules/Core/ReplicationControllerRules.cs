using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Core;

internal sealed class ReplicationControllerRules : KindRules<ReplicationController>
{
    public override bool HasStatus => true;

    public override bool HasGeneration => true;

    public override string DefaultPropagation => "Orphan";

    public override IReadOnlyList<SelectableField> SelectableFields => [new("status.replicas", Absent: "0")];

    public override IReadOnlyList<TableColumn> Columns =>
        [new("Desired", "integer"), new("Current", "integer"), new("Ready", "integer"), new("Age"), new("Containers", Priority: 1), new("Images", Priority: 1), new("Selector", Priority: 1)];

    protected override void Default(ReplicationController value)
    {
        value.Spec.Replicas ??= 1;
        if (value.Spec.Template is { } template)
        {
            var labels = template.Metadata.Labels;
            if (labels is { Count: > 0 })
            {
                value.Spec.Selector = value.Spec.Selector is { Count: > 0 } given ? given : new(labels, StringComparer.Ordinal);
                value.Metadata.Labels = value.Metadata.Labels is { Count: > 0 } own ? own : new(labels, StringComparer.Ordinal);
            }

            PodDefaults.ApplyToTemplate(template.Spec);
        }
    }

    protected override void Validate(RuleContext context, ReplicationController value, ErrorList errors)
    {
        WorkloadValidation.Count(errors, FieldPath.Spec.Child("replicas"), value.Spec.Replicas);
        WorkloadValidation.Count(errors, FieldPath.Spec.Child("minReadySeconds"), value.Spec.MinReadySeconds);
        if (value.Spec.Selector is not { Count: > 0 })
        {
            errors.Required(FieldPath.Spec.Child("selector"));
        }

        if (value.Spec.Template is not { } template)
        {
            errors.Required(FieldPath.Spec.Child("template"));
            return;
        }

        if (value.Spec.Selector is { Count: > 0 } && !Selector.FromMap(value.Spec.Selector).Matches(template.Metadata.Labels))
        {
            errors.Invalid(FieldPath.Spec.Child("template", "metadata", "labels"), TableText.Of(template.Metadata.Labels), "`selector` does not match template `labels`");
        }

        PodSpecValidation.ValidateTemplate(template, FieldPath.Spec.Child("template"), errors, "Always");
    }

    protected override void Warn(RuleContext context, ReplicationController value, ReplicationController? old) => PodWarnings.OfTemplate(context, value, old, value.Spec.Template, FieldPath.Spec.Child("template"));

    protected override IReadOnlyList<object?> Cells(ReplicationController value, DateTimeOffset now) =>
    [
        value.Metadata.Name, (long)(value.Spec.Replicas ?? 0), (long)value.Status.Replicas, (long)value.Status.ReadyReplicas, Ages.Since(value.Metadata.CreationTimestamp, now),
        TableText.Containers(value.Spec.Template?.Spec ?? new()), TableText.Images(value.Spec.Template?.Spec ?? new()), TableText.Of(value.Spec.Selector),
    ];
}
