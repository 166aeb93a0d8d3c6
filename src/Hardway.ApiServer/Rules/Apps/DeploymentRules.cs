using Hardway.Api;
using Hardway.Api.Apps.V1;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Rules.Core;

namespace Hardway.ApiServer.Rules.Apps;

internal sealed class DeploymentRules : KindRules<Deployment>
{
    public override bool HasStatus => true;

    public override bool HasGeneration => true;

    public override IReadOnlyList<string> FieldAnnotations => ["deprecated.deployment.rollback.to"];

    public override IReadOnlyList<TableColumn> Columns =>
        [new("Ready"), new("Up-to-date"), new("Available"), new("Age"), new("Containers", Priority: 1), new("Images", Priority: 1), new("Selector", Priority: 1)];

    protected override void Default(Deployment value)
    {
        var spec = value.Spec;
        spec.Replicas ??= 1;
        spec.Strategy.Type = spec.Strategy.Type.Length == 0 ? "RollingUpdate" : spec.Strategy.Type;
        if (spec.Strategy.Type == "RollingUpdate")
        {
            spec.Strategy.RollingUpdate ??= new RollingUpdateDeployment();
            spec.Strategy.RollingUpdate.MaxUnavailable ??= "25%";
            spec.Strategy.RollingUpdate.MaxSurge ??= "25%";
        }

        spec.RevisionHistoryLimit ??= 10;
        spec.ProgressDeadlineSeconds ??= 600;
        PodDefaults.ApplyToTemplate(spec.Template.Spec);
    }

    protected override void PrepareForUpdate(RuleContext context, Deployment value, Deployment old)
    {
        // Upstream counts a change of the annotations as a change of the generation.
        if (context.Subresource.Length == 0 && !ApiValues.AreEqual(value.Metadata.Annotations, old.Metadata.Annotations, Shape.Map<string>(Shape.String)) && ApiStruct.DeepEquals(value.Spec, old.Spec))
        {
            value.Metadata.Generation = old.Metadata.Generation + 1;
        }
    }

    protected override void Validate(RuleContext context, Deployment value, ErrorList errors)
    {
        var spec = value.Spec;
        var path = FieldPath.Spec;
        WorkloadValidation.Count(errors, path.Child("replicas"), spec.Replicas);
        WorkloadValidation.RequiredSelector(errors, path.Child("selector"), spec.Selector);
        WorkloadValidation.SelectedTemplate(errors, path, spec.Selector, spec.Template);
        Strategy(spec.Strategy, path.Child("strategy"), errors);
        WorkloadValidation.Count(errors, path.Child("minReadySeconds"), spec.MinReadySeconds);
        WorkloadValidation.Count(errors, path.Child("revisionHistoryLimit"), spec.RevisionHistoryLimit);
        WorkloadValidation.Count(errors, path.Child("progressDeadlineSeconds"), spec.ProgressDeadlineSeconds);
        if (spec.ProgressDeadlineSeconds <= spec.MinReadySeconds)
        {
            errors.Invalid(path.Child("progressDeadlineSeconds"), spec.ProgressDeadlineSeconds, "must be greater than minReadySeconds");
        }
    }

    protected override void ValidateUpdate(RuleContext context, Deployment value, Deployment old, ErrorList errors)
    {
        if (context.Subresource == "status")
        {
            Status(value.Status, old.Status, errors);
            return;
        }

        Validate(context, value, errors);
        WorkloadValidation.Immutable(errors, FieldPath.Spec.Child("selector"), value.Spec.Selector, old.Spec.Selector);
    }

    protected override void Warn(RuleContext context, Deployment value, Deployment? old) => PodWarnings.OfTemplate(context, value, old, value.Spec.Template, FieldPath.Spec.Child("template"));

    protected override IReadOnlyList<object?> Cells(Deployment value, DateTimeOffset now) =>
    [
        value.Metadata.Name, $"{value.Status.ReadyReplicas}/{value.Spec.Replicas ?? 0}", (long)value.Status.UpdatedReplicas, (long)value.Status.AvailableReplicas, Ages.Since(value.Metadata.CreationTimestamp, now),
        TableText.Containers(value.Spec.Template.Spec), TableText.Images(value.Spec.Template.Spec), TableText.Of(value.Spec.Selector),
    ];

    private static void Status(DeploymentStatus status, DeploymentStatus old, ErrorList errors)
    {
        WorkloadValidation.Replicas(errors, status.Replicas, ("updatedReplicas", status.UpdatedReplicas), ("readyReplicas", status.ReadyReplicas), ("availableReplicas", status.AvailableReplicas));
        WorkloadValidation.Count(errors, FieldPath.Status.Child("observedGeneration"), status.ObservedGeneration);
        WorkloadValidation.Count(errors, FieldPath.Status.Child("unavailableReplicas"), status.UnavailableReplicas);
        WorkloadValidation.Count(errors, FieldPath.Status.Child("collisionCount"), status.CollisionCount);
        if (old.CollisionCount is { } before && (status.CollisionCount ?? int.MinValue) < before)
        {
            errors.Invalid(FieldPath.Status.Child("collisionCount"), status.CollisionCount, "cannot be decremented");
        }
    }

    private static void Strategy(DeploymentStrategy strategy, FieldPath path, ErrorList errors)
    {
        switch (strategy.Type)
        {
            case "Recreate" when strategy.RollingUpdate is not null:
                errors.Forbidden(path.Child("rollingUpdate"), "may not be specified when strategy `type` is 'Recreate'");
                break;
            case "Recreate":
                break;
            case "RollingUpdate":
                var update = path.Child("rollingUpdate");
                WorkloadValidation.CountOrPercent(errors, update.Child("maxUnavailable"), strategy.RollingUpdate?.MaxUnavailable);
                WorkloadValidation.CountOrPercent(errors, update.Child("maxSurge"), strategy.RollingUpdate?.MaxSurge, atMostAll: false);
                if (WorkloadValidation.IsZero(strategy.RollingUpdate?.MaxUnavailable) && WorkloadValidation.IsZero(strategy.RollingUpdate?.MaxSurge))
                {
                    errors.Invalid(update.Child("maxUnavailable"), strategy.RollingUpdate?.MaxUnavailable?.ToString(), "may not be 0 when `maxSurge` is 0");
                }

                break;
            default:
                errors.NotSupported(path, strategy.Type, "Recreate", "RollingUpdate");
                break;
        }
    }
}
