using Hardway.Api;
using Hardway.Api.Apps.V1;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Rules.Core;

namespace Hardway.ApiServer.Rules.Apps;

internal sealed class StatefulSetRules : KindRules<StatefulSet>
{
    public override bool HasStatus => true;

    public override bool HasGeneration => true;

    public override IReadOnlyList<TableColumn> Columns => [new("Ready"), new("Age"), new("Containers", Priority: 1), new("Images", Priority: 1)];

    protected override void Default(StatefulSet value)
    {
        var spec = value.Spec;
        spec.Replicas ??= 1;
        spec.RevisionHistoryLimit ??= 10;
        spec.PodManagementPolicy = spec.PodManagementPolicy.Length == 0 ? "OrderedReady" : spec.PodManagementPolicy;
        spec.UpdateStrategy.Type = spec.UpdateStrategy.Type.Length == 0 ? "RollingUpdate" : spec.UpdateStrategy.Type;
        if (spec.UpdateStrategy.Type == "RollingUpdate")
        {
            spec.UpdateStrategy.RollingUpdate ??= new RollingUpdateStatefulSetStrategy();
            spec.UpdateStrategy.RollingUpdate.Partition ??= 0;
        }

        spec.PersistentVolumeClaimRetentionPolicy ??= new StatefulSetPersistentVolumeClaimRetentionPolicy();
        var retention = spec.PersistentVolumeClaimRetentionPolicy;
        retention.WhenDeleted = retention.WhenDeleted.Length == 0 ? "Retain" : retention.WhenDeleted;
        retention.WhenScaled = retention.WhenScaled.Length == 0 ? "Retain" : retention.WhenScaled;
        foreach (var claim in spec.VolumeClaimTemplates ?? [])
        {
            claim.Spec.VolumeMode ??= "Filesystem";
            claim.Status.Phase = claim.Status.Phase.Length == 0 ? "Pending" : claim.Status.Phase;
        }

        PodDefaults.ApplyToTemplate(spec.Template.Spec);
    }

    protected override void Validate(RuleContext context, StatefulSet value, ErrorList errors)
    {
        var spec = value.Spec;
        var path = FieldPath.Spec;
        if (spec.PodManagementPolicy is not ("OrderedReady" or "Parallel"))
        {
            errors.Invalid(path.Child("podManagementPolicy"), spec.PodManagementPolicy, "must be 'OrderedReady' or 'Parallel'");
        }

        switch (spec.UpdateStrategy.Type)
        {
            case "OnDelete" when spec.UpdateStrategy.RollingUpdate is not null:
                errors.Invalid(path.Child("updateStrategy", "rollingUpdate"), spec.UpdateStrategy.RollingUpdate.ToString(), "only allowed for updateStrategy 'RollingUpdate'");
                break;
            case "OnDelete":
                break;
            case "RollingUpdate":
                WorkloadValidation.Count(errors, path.Child("updateStrategy", "rollingUpdate", "partition"), spec.UpdateStrategy.RollingUpdate?.Partition);
                break;
            default:
                errors.Invalid(path.Child("updateStrategy"), spec.UpdateStrategy.Type, "must be 'RollingUpdate' or 'OnDelete'");
                break;
        }

        foreach (var (name, policy) in new[] { ("whenDeleted", spec.PersistentVolumeClaimRetentionPolicy?.WhenDeleted), ("whenScaled", spec.PersistentVolumeClaimRetentionPolicy?.WhenScaled) })
        {
            if (policy is not (null or "Retain" or "Delete"))
            {
                errors.NotSupported(path.Child("persistentVolumeClaimRetentionPolicy", name), policy, "Delete", "Retain");
            }
        }

        WorkloadValidation.Count(errors, path.Child("replicas"), spec.Replicas);
        WorkloadValidation.Count(errors, path.Child("minReadySeconds"), spec.MinReadySeconds);
        WorkloadValidation.Count(errors, path.Child("revisionHistoryLimit"), spec.RevisionHistoryLimit);
        WorkloadValidation.Count(errors, path.Child("ordinals", "start"), spec.Ordinals?.Start);
        WorkloadValidation.RequiredSelector(errors, path.Child("selector"), spec.Selector);
        WorkloadValidation.SelectedTemplate(errors, path, spec.Selector, WithClaims(spec));
    }

    protected override void ValidateUpdate(RuleContext context, StatefulSet value, StatefulSet old, ErrorList errors)
    {
        if (context.Subresource == "status")
        {
            var status = value.Status;
            WorkloadValidation.Replicas(errors, status.Replicas, ("readyReplicas", status.ReadyReplicas), ("currentReplicas", status.CurrentReplicas), ("updatedReplicas", status.UpdatedReplicas), ("availableReplicas", status.AvailableReplicas));
            WorkloadValidation.Count(errors, FieldPath.Status.Child("observedGeneration"), status.ObservedGeneration);
            WorkloadValidation.Count(errors, FieldPath.Status.Child("collisionCount"), status.CollisionCount);
            return;
        }

        Validate(context, value, errors);
        var expected = old.Spec.Clone();
        expected.Replicas = value.Spec.Replicas;
        expected.Template = value.Spec.Template;
        expected.UpdateStrategy = value.Spec.UpdateStrategy;
        expected.MinReadySeconds = value.Spec.MinReadySeconds;
        expected.Ordinals = value.Spec.Ordinals;
        expected.PersistentVolumeClaimRetentionPolicy = value.Spec.PersistentVolumeClaimRetentionPolicy;
        expected.RevisionHistoryLimit = value.Spec.RevisionHistoryLimit;
        if (!ApiStruct.DeepEquals(expected, value.Spec))
        {
            errors.Forbidden(
                FieldPath.Spec,
                "an update may change only replicas, ordinals, template, updateStrategy, revisionHistoryLimit, persistentVolumeClaimRetentionPolicy and minReadySeconds");
        }
    }

    protected override void Warn(RuleContext context, StatefulSet value, StatefulSet? old) => PodWarnings.OfTemplate(context, value, old, value.Spec.Template, FieldPath.Spec.Child("template"));

    protected override IReadOnlyList<object?> Cells(StatefulSet value, DateTimeOffset now) =>
    [
        value.Metadata.Name, $"{value.Status.ReadyReplicas}/{value.Spec.Replicas ?? 0}", Ages.Since(value.Metadata.CreationTimestamp, now),
        TableText.Containers(value.Spec.Template.Spec), TableText.Images(value.Spec.Template.Spec),
    ];

    /// <summary>The template as its Pods will be: with a volume for each claim.</summary>
    private static PodTemplateSpec WithClaims(StatefulSetSpec spec)
    {
        if (spec.VolumeClaimTemplates is not { Count: > 0 } claims)
        {
            return spec.Template;
        }

        var template = spec.Template.Clone();
        var volumes = template.Spec.Volumes ??= [];
        foreach (var claim in claims.Where(c => Names.IsDnsLabel(c.Metadata.Name)))
        {
            volumes.RemoveAll(v => v.Name == claim.Metadata.Name);
            volumes.Add(new Volume { Name = claim.Metadata.Name, PersistentVolumeClaim = new PersistentVolumeClaimVolumeSource { ClaimName = claim.Metadata.Name } });
        }

        return template;
    }
}
