using Hardway.Api;
using Hardway.Api.Apps.V1;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Rules.Core;

namespace Hardway.ApiServer.Rules.Apps;

internal sealed class ReplicaSetRules : KindRules<ReplicaSet>
{
    public override bool HasStatus => true;

    public override bool HasGeneration => true;

    public override IReadOnlyList<TableColumn> Columns =>
        [new("Desired", "integer"), new("Current", "integer"), new("Ready", "integer"), new("Age"), new("Containers", Priority: 1), new("Images", Priority: 1), new("Selector", Priority: 1)];

    protected override void Default(ReplicaSet value)
    {
        value.Spec.Replicas ??= 1;
        PodDefaults.ApplyToTemplate(value.Spec.Template.Spec);
    }

    protected override void Validate(RuleContext context, ReplicaSet value, ErrorList errors)
    {
        WorkloadValidation.Count(errors, FieldPath.Spec.Child("replicas"), value.Spec.Replicas);
        WorkloadValidation.Count(errors, FieldPath.Spec.Child("minReadySeconds"), value.Spec.MinReadySeconds);
        WorkloadValidation.RequiredSelector(errors, FieldPath.Spec.Child("selector"), value.Spec.Selector);
        WorkloadValidation.SelectedTemplate(errors, FieldPath.Spec, value.Spec.Selector, value.Spec.Template);
    }

    protected override void ValidateUpdate(RuleContext context, ReplicaSet value, ReplicaSet old, ErrorList errors)
    {
        if (context.Subresource == "status")
        {
            WorkloadValidation.Replicas(errors, value.Status.Replicas, ("fullyLabeledReplicas", value.Status.FullyLabeledReplicas), ("readyReplicas", value.Status.ReadyReplicas), ("availableReplicas", value.Status.AvailableReplicas));
            WorkloadValidation.Count(errors, FieldPath.Status.Child("observedGeneration"), value.Status.ObservedGeneration);
            return;
        }

        Validate(context, value, errors);
        WorkloadValidation.Immutable(errors, FieldPath.Spec.Child("selector"), value.Spec.Selector, old.Spec.Selector);
    }

    protected override void Warn(RuleContext context, ReplicaSet value, ReplicaSet? old) => PodWarnings.OfTemplate(context, value, old, value.Spec.Template, FieldPath.Spec.Child("template"));

    protected override IReadOnlyList<object?> Cells(ReplicaSet value, DateTimeOffset now) =>
    [
        value.Metadata.Name, (long)(value.Spec.Replicas ?? 0), (long)value.Status.Replicas, (long)value.Status.ReadyReplicas, Ages.Since(value.Metadata.CreationTimestamp, now),
        TableText.Containers(value.Spec.Template.Spec), TableText.Images(value.Spec.Template.Spec), TableText.Of(value.Spec.Selector),
    ];
}
