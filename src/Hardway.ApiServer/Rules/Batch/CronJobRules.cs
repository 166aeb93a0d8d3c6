using System.Globalization;
using Hardway.Api;
using Hardway.Api.Batch.V1;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Rules.Core;

namespace Hardway.ApiServer.Rules.Batch;

internal sealed class CronJobRules : KindRules<CronJob>
{
    public override bool HasStatus => true;

    public override bool HasGeneration => true;

    public override IReadOnlyList<TableColumn> Columns =>
    [
        new("Schedule"), new("Timezone"), new("Suspend", "boolean"), new("Active", "integer"), new("Last Schedule"), new("Age"),
        new("Containers", Priority: 1), new("Images", Priority: 1), new("Selector", Priority: 1),
    ];

    protected override void Default(CronJob value)
    {
        var spec = value.Spec;
        spec.ConcurrencyPolicy = spec.ConcurrencyPolicy.Length == 0 ? "Allow" : spec.ConcurrencyPolicy;
        spec.Suspend ??= false;
        spec.SuccessfulJobsHistoryLimit ??= 3;
        spec.FailedJobsHistoryLimit ??= 1;
        // A Job's own defaults come when it is made; the template's Pods have theirs here.
        PodDefaults.ApplyToTemplate(spec.JobTemplate.Spec.Template.Spec);
    }

    protected override void Validate(RuleContext context, CronJob value, ErrorList errors)
    {
        var spec = value.Spec;
        if (spec.Schedule.Length == 0)
        {
            errors.Required(FieldPath.Spec.Child("schedule"));
        }
        else if (CronSchedule.Fault(spec.Schedule, spec.TimeZone is not null) is { } fault)
        {
            errors.Invalid(FieldPath.Spec.Child("schedule"), spec.Schedule, fault);
        }

        if (spec.TimeZone is { } zone)
        {
            if (zone.Length == 0)
            {
                errors.Invalid(FieldPath.Spec.Child("timeZone"), zone, "timeZone must be nil or non-empty string");
            }
            else if (zone.Equals("Local", StringComparison.OrdinalIgnoreCase) || !CronSchedule.IsTimeZone(zone))
            {
                errors.Invalid(FieldPath.Spec.Child("timeZone"), zone, "unknown time zone");
            }
        }

        if (spec.ConcurrencyPolicy is not ("Allow" or "Forbid" or "Replace"))
        {
            errors.NotSupported(FieldPath.Spec.Child("concurrencyPolicy"), spec.ConcurrencyPolicy, "Allow", "Forbid", "Replace");
        }

        WorkloadValidation.Count(errors, FieldPath.Spec.Child("startingDeadlineSeconds"), spec.StartingDeadlineSeconds);
        WorkloadValidation.Count(errors, FieldPath.Spec.Child("successfulJobsHistoryLimit"), spec.SuccessfulJobsHistoryLimit);
        WorkloadValidation.Count(errors, FieldPath.Spec.Child("failedJobsHistoryLimit"), spec.FailedJobsHistoryLimit);
        if (spec.JobTemplate.Spec.Selector is { } selector)
        {
            errors.Invalid(FieldPath.Spec.Child("jobTemplate", "spec", "selector"), TableText.Of(selector), "`selector` will be auto-generated");
        }

        if (spec.JobTemplate.Spec.ManualSelector == true)
        {
            errors.NotSupported(FieldPath.Spec.Child("jobTemplate", "spec", "manualSelector"), true, "nil", "false");
        }

        var job = spec.JobTemplate.Spec.Clone();
        JobRules.DefaultSpec(job);
        JobSpecValidation.Validate(job, FieldPath.Spec.Child("jobTemplate", "spec"), errors);
        if (value.Metadata.Name.Length > 52)
        {
            errors.Invalid(FieldPath.Metadata.Child("name"), value.Metadata.Name, "must be no more than 52 characters");
        }
    }

    protected override void Warn(RuleContext context, CronJob value, CronJob? old) => PodWarnings.OfTemplate(context, value, old, value.Spec.JobTemplate.Spec.Template, FieldPath.Spec.Child("jobTemplate", "spec", "template"));

    protected override IReadOnlyList<object?> Cells(CronJob value, DateTimeOffset now) =>
    [
        value.Metadata.Name, value.Spec.Schedule, TableText.Or(value.Spec.TimeZone, TableText.None), value.Spec.Suspend == true ? "True" : "False", (long)(value.Status.Active?.Count ?? 0),
        value.Status.LastScheduleTime is null ? TableText.None : Ages.Since(value.Status.LastScheduleTime, now), Ages.Since(value.Metadata.CreationTimestamp, now),
        TableText.Containers(value.Spec.JobTemplate.Spec.Template.Spec), TableText.Images(value.Spec.JobTemplate.Spec.Template.Spec), TableText.Of(value.Spec.JobTemplate.Spec.Selector),
    ];
}
