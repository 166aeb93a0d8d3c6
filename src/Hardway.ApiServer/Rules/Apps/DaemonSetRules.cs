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

    public override IReadOnlyList<string> FieldAnnotations => [TemplateGeneration];

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
        // In this version the template's generation stands in an annotation, always: so whoever writes the object owns it.
        (value.Metadata.Annotations ??= []).TryAdd(TemplateGeneration, "0");
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
        Selector(spec, errors);
        WorkloadValidation.RunningTemplate(errors, FieldPath.Spec.Child("template"), spec.Template);
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
                    errors.Required(update.Child("maxUnavailable"), "cannot be 0 when maxSurge is 0");
                }
                else if (!noUnavailable && !noSurge)
                {
                    errors.Invalid(update.Child("maxSurge"), spec.UpdateStrategy.RollingUpdate?.MaxSurge?.ToString(), "may not be set when maxUnavailable is non-zero");
                }

                break;
            default:
                errors.NotSupported(path, spec.UpdateStrategy.Type, "OnDelete", "RollingUpdate");
                break;
        }
    }

    protected override void ValidateUpdate(RuleContext context, DaemonSet value, DaemonSet old, ErrorList errors)
    {
        if (context.Subresource == "status")
        {
            Status(value.Status, errors);
            return;
        }

        Validate(context, value, errors);
        WorkloadValidation.Immutable(errors, FieldPath.Spec.Child("selector"), value.Spec.Selector, old.Spec.Selector);
    }

    /// <summary>Unlike other workloads' a missing selector is no fault of its own: it just matches nothing.</summary>
    private static void Selector(DaemonSetSpec spec, ErrorList errors)
    {
        WorkloadValidation.LabelSelector(errors, FieldPath.Spec.Child("selector"), spec.Selector);
        if (WorkloadValidation.Compile(spec.Selector) is { } compiled)
        {
            WorkloadValidation.TemplateMatches(errors, FieldPath.Spec.Child("template"), compiled, spec.Selector, spec.Template);
        }

        if (spec.Selector is { MatchLabels: null or { Count: 0 }, MatchExpressions: null or { Count: 0 } })
        {
            errors.Invalid(FieldPath.Spec.Child("selector"), "{}", "an empty selector is not allowed here");
        }
    }

    private static void Status(DaemonSetStatus status, ErrorList errors)
    {
        foreach (var (name, count) in new (string, long?)[]
        {
            ("currentNumberScheduled", status.CurrentNumberScheduled), ("numberMisscheduled", status.NumberMisscheduled), ("desiredNumberScheduled", status.DesiredNumberScheduled),
            ("numberReady", status.NumberReady), ("observedGeneration", status.ObservedGeneration), ("updatedNumberScheduled", status.UpdatedNumberScheduled),
            ("numberAvailable", status.NumberAvailable), ("numberUnavailable", status.NumberUnavailable), ("collisionCount", status.CollisionCount),
        })
        {
            WorkloadValidation.Count(errors, FieldPath.Status.Child(name), count);
        }
    }

    protected override void Warn(RuleContext context, DaemonSet value, DaemonSet? old) => PodWarnings.OfTemplate(context, value, old, value.Spec.Template, FieldPath.Spec.Child("template"));

    protected override IReadOnlyList<object?> Cells(DaemonSet value, DateTimeOffset now) =>
    [
        value.Metadata.Name, (long)value.Status.DesiredNumberScheduled, (long)value.Status.CurrentNumberScheduled, (long)value.Status.NumberReady, (long)value.Status.UpdatedNumberScheduled,
        (long)value.Status.NumberAvailable, TableText.Of(value.Spec.Template.Spec.NodeSelector), Ages.Since(value.Metadata.CreationTimestamp, now),
        TableText.Containers(value.Spec.Template.Spec), TableText.Images(value.Spec.Template.Spec), TableText.Of(value.Spec.Selector),
    ];
}
