using Hardway.Api;
using Hardway.Api.Apps.V1;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Rules.Core;

namespace Hardway.ApiServer.Rules.Apps;

internal sealed class DaemonSetRules : KindRules<DaemonSet>
{
    private const string TemplateGeneration = "deprecated.daemonset.template.generation";

    public override bool HasStatus => true;

    public override bool HasGeneration => true;

    public override IReadOnlyList<TableColumn> Columns =>
    [
        new("Desired", "integer"), new("Current", "integer"), new("Ready", "integer"), new("Up-to-date", "integer"), new("Available", "integer"), new("Node Selector"), new("Age"),
        new("Containers", Priority: 1), new("Images", Priority: 1), new("Selector", Priority: 1),
    ];

    protected override void Default(DaemonSet value)
    {
        var spec = value.Spec;
        spec.UpdateStrategy.Type = spec.UpdateStrategy.Type.Length == 0 ? "RollingUpdate" : spec.UpdateStrategy.Type;
        if (spec.UpdateStrategy.Type == "RollingUpdate")
        {
            spec.UpdateStrategy.RollingUpdate ??= new RollingUpdateDaemonSet();
            spec.UpdateStrategy.RollingUpdate.MaxUnavailable ??= 1;
            spec.UpdateStrategy.RollingUpdate.MaxSurge ??= 0;
        }

        spec.RevisionHistoryLimit ??= 10;
        PodDefaults.ApplyToTemplate(spec.Template.Spec);
    }

    protected override void PrepareForCreate(RuleContext context, DaemonSet value) => (value.Metadata.Annotations ??= [])[TemplateGeneration] = "1";

    protected override void PrepareForUpdate(RuleContext context, DaemonSet value, DaemonSet old)
    {
        if (context.Subresource == "status")
        {
            return;
        }

        var generation = long.TryParse(old.Metadata.Annotations?.GetValueOrDefault(TemplateGeneration), out var before) ? before : 1;
        if (!ApiStruct.DeepEquals(value.Spec.Template, old.Spec.Template))
        {
            generation++;
        }

        (value.Metadata.Annotations ??= [])[TemplateGeneration] = generation.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    protected override void Validate(RuleContext context, DaemonSet value, ErrorList errors)
    {
        var spec = value.Spec;
        WorkloadValidation.RequiredSelector(errors, FieldPath.Spec.Child("selector"), spec.Selector);
        WorkloadValidation.RunningTemplate(errors, FieldPath.Spec.Child("template"), spec.Selector, spec.Template);
        WorkloadValidation.Count(errors, FieldPath.Spec.Child("minReadySeconds"), spec.MinReadySeconds);
        WorkloadValidation.Count(errors, FieldPath.Spec.Child("revisionHistoryLimit"), spec.RevisionHistoryLimit);
        var path = FieldPath.Spec.Child("updateStrategy");
        switch (spec.UpdateStrategy.Type)
        {
            case "OnDelete":
                break;
            case "RollingUpdate":
                var update = path.Child("rollingUpdate");
                WorkloadValidation.CountOrPercent(errors, update.Child("maxUnavailable"), spec.UpdateStrategy.RollingUpdate?.MaxUnavailable);
                WorkloadValidation.CountOrPercent(errors, update.Child("maxSurge"), spec.UpdateStrategy.RollingUpdate?.MaxSurge);
                var noUnavailable = WorkloadValidation.IsZero(spec.UpdateStrategy.RollingUpdate?.MaxUnavailable);
                var noSurge = WorkloadValidation.IsZero(spec.UpdateStrategy.RollingUpdate?.MaxSurge);
                if (noUnavailable && noSurge)
                {
                    errors.Invalid(update.Child("maxUnavailable"), "0", "cannot be 0 when maxSurge is 0");
                }
                else if (!noUnavailable && !noSurge)
                {
                    errors.Invalid(update.Child("maxSurge"), spec.UpdateStrategy.RollingUpdate?.MaxSurge?.ToString(), "may not be set when maxUnavailable is non-zero");
                }

                break;
            default:
                errors.NotSupported(path.Child("type"), spec.UpdateStrategy.Type, "OnDelete", "RollingUpdate");
                break;
        }
    }

    protected override void ValidateUpdate(RuleContext context, DaemonSet value, DaemonSet old, ErrorList errors)
    {
        if (context.Subresource == "status")
        {
            return;
        }

        Validate(context, value, errors);
        WorkloadValidation.Immutable(errors, FieldPath.Spec.Child("selector"), value.Spec.Selector, old.Spec.Selector);
    }

    protected override IReadOnlyList<object?> Cells(DaemonSet value, DateTimeOffset now) =>
    [
        value.Metadata.Name, (long)value.Status.DesiredNumberScheduled, (long)value.Status.CurrentNumberScheduled, (long)value.Status.NumberReady, (long)value.Status.UpdatedNumberScheduled,
        (long)value.Status.NumberAvailable, TableText.Of(value.Spec.Template.Spec.NodeSelector), Ages.Since(value.Metadata.CreationTimestamp, now),
        TableText.Containers(value.Spec.Template.Spec), TableText.Images(value.Spec.Template.Spec), TableText.Of(value.Spec.Selector),
    ];
}
