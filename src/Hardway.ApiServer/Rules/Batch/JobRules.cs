using System.Globalization;
using Hardway.Api;
using Hardway.Api.Batch.V1;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Rules.Core;

namespace Hardway.ApiServer.Rules.Batch;

internal sealed class JobRules : KindRules<Job>
{
    private static readonly string[] s_uidLabels = ["batch.kubernetes.io/controller-uid", "controller-uid"];
    private static readonly string[] s_nameLabels = ["batch.kubernetes.io/job-name", "job-name"];

    public override bool HasStatus => true;

    public override bool HasGeneration => true;

    public override string DefaultPropagation => "Orphan";

    public override IReadOnlyList<SelectableField> SelectableFields => [new("status.successful", "status.succeeded", "0")];

    public override IReadOnlyList<TableColumn> Columns =>
        [new("Status"), new("Completions"), new("Duration"), new("Age"), new("Containers", Priority: 1), new("Images", Priority: 1), new("Selector", Priority: 1)];

    public static void DefaultSpec(JobSpec spec)
    {
        if (spec.Completions is null && spec.Parallelism is null)
        {
            spec.Completions = 1;
            spec.Parallelism = 1;
        }

        spec.Parallelism ??= 1;
        spec.BackoffLimit ??= spec.BackoffLimitPerIndex is null ? 6 : int.MaxValue;
        if (spec.BackoffLimitPerIndex is not null && spec.PodReplacementPolicy is null && spec.PodFailurePolicy is not null)
        {
            spec.PodReplacementPolicy = "Failed";
        }

        spec.CompletionMode ??= "NonIndexed";
        spec.Suspend ??= false;
        spec.PodReplacementPolicy ??= spec.PodFailurePolicy is null ? "TerminatingOrFailed" : "Failed";
        spec.ManualSelector ??= null;
        foreach (var rule in spec.PodFailurePolicy?.Rules ?? [])
        {
            foreach (var condition in rule.OnPodConditions ?? [])
            {
                condition.Status = condition.Status.Length == 0 ? "True" : condition.Status;
            }
        }

        PodDefaults.ApplyToTemplate(spec.Template.Spec);
    }

    public static void ValidateSpec(JobSpec spec, FieldPath path, ErrorList errors)
    {
        WorkloadValidation.Count(errors, path.Child("parallelism"), spec.Parallelism);
        WorkloadValidation.Count(errors, path.Child("completions"), spec.Completions);
        WorkloadValidation.Count(errors, path.Child("activeDeadlineSeconds"), spec.ActiveDeadlineSeconds);
        WorkloadValidation.Count(errors, path.Child("backoffLimit"), spec.BackoffLimit);
        WorkloadValidation.Count(errors, path.Child("ttlSecondsAfterFinished"), spec.TtlSecondsAfterFinished);
        WorkloadValidation.Count(errors, path.Child("backoffLimitPerIndex"), spec.BackoffLimitPerIndex);
        WorkloadValidation.Count(errors, path.Child("maxFailedIndexes"), spec.MaxFailedIndexes);
        Indexed(spec, path, errors);
        PodSpecValidation.ValidateTemplate(spec.Template, path.Child("template"), errors, "OnFailure", "Never");
        if (spec.PodFailurePolicy is not null && spec.Template.Spec.RestartPolicy != "Never")
        {
            errors.Invalid(path.Child("template", "spec", "restartPolicy"), spec.Template.Spec.RestartPolicy, "only \"Never\" is supported when podFailurePolicy is specified");
        }
    }

    protected override void Default(Job value)
    {
        DefaultSpec(value.Spec);
        if (value.Metadata.Labels is not { Count: > 0 } && value.Spec.Template.Metadata.Labels is { Count: > 0 } labels)
        {
            value.Metadata.Labels = new Dictionary<string, string>(labels, StringComparer.Ordinal);
        }
    }

    protected override void PrepareForCreate(RuleContext context, Job value)
    {
        if (value.Spec.ManualSelector == true)
        {
            return;
        }

        // Each Job selects its Pods by its own uid.
        var labels = value.Spec.Template.Metadata.Labels ??= [];
        foreach (var label in s_uidLabels)
        {
            labels[label] = value.Metadata.Uid;
        }

        foreach (var label in s_nameLabels)
        {
            labels[label] = value.Metadata.Name;
        }

        value.Spec.Selector ??= new LabelSelector();
        (value.Spec.Selector.MatchLabels ??= [])[s_uidLabels[0]] = value.Metadata.Uid;
    }

    protected override void Validate(RuleContext context, Job value, ErrorList errors)
    {
        if (value.Spec.Selector is null)
        {
            errors.Required(FieldPath.Spec.Child("selector"));
        }
        else
        {
            WorkloadValidation.LabelSelector(errors, FieldPath.Spec.Child("selector"), value.Spec.Selector);
            WorkloadValidation.TemplateMatches(errors, FieldPath.Spec.Child("template"), value.Spec.Selector, value.Spec.Template);
        }

        ValidateSpec(value.Spec, FieldPath.Spec, errors);
    }

    protected override void ValidateUpdate(RuleContext context, Job value, Job old, ErrorList errors)
    {
        if (context.Subresource == "status")
        {
            return;
        }

        Validate(context, value, errors);
        if (value.Spec.CompletionMode != "Indexed" || old.Spec.Completions is null)
        {
            if (value.Spec.Completions != old.Spec.Completions)
            {
                errors.Invalid(FieldPath.Spec.Child("completions"), value.Spec.Completions, "field is immutable");
            }
        }

        WorkloadValidation.Immutable(errors, FieldPath.Spec.Child("selector"), value.Spec.Selector, old.Spec.Selector);
        WorkloadValidation.Immutable(errors, FieldPath.Spec.Child("completionMode"), value.Spec.CompletionMode, old.Spec.CompletionMode);
        WorkloadValidation.Immutable(errors, FieldPath.Spec.Child("podFailurePolicy"), value.Spec.PodFailurePolicy, old.Spec.PodFailurePolicy);
        if (old.Spec.Suspend != true || old.Status.StartTime is not null)
        {
            WorkloadValidation.Immutable(errors, FieldPath.Spec.Child("template"), value.Spec.Template, old.Spec.Template);
        }
    }

    protected override IReadOnlyList<object?> Cells(Job value, DateTimeOffset now)
    {
        var completions = value.Spec.Completions is { } wanted
            ? string.Create(CultureInfo.InvariantCulture, $"{value.Status.Succeeded}/{wanted}")
            : value.Spec.Parallelism > 1 ? string.Create(CultureInfo.InvariantCulture, $"{value.Status.Succeeded}/1 of {value.Spec.Parallelism}") : string.Create(CultureInfo.InvariantCulture, $"{value.Status.Succeeded}/1");
        var duration = value.Status.StartTime is not { } start ? "" : Ages.Show((value.Status.CompletionTime ?? now) - start);
        return
        [
            value.Metadata.Name, StatusOf(value), completions, duration, Ages.Since(value.Metadata.CreationTimestamp, now),
            TableText.Containers(value.Spec.Template.Spec), TableText.Images(value.Spec.Template.Spec), TableText.Of(value.Spec.Selector),
        ];
    }

    private static string StatusOf(Job value)
    {
        foreach (var (condition, text) in new[] { ("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended"), ("FailureTarget", "FailureTarget"), ("SuccessCriteriaMet", "SuccessCriteriaMet") })
        {
            if (value.Status.Conditions?.Any(c => c.Type == condition && c.Status == "True") == true)
            {
                return value.Metadata.DeletionTimestamp is not null && text == "Suspended" ? "Terminating" : text;
            }
        }

        return value.Metadata.DeletionTimestamp is not null ? "Terminating" : "Running";
    }

    private static void Indexed(JobSpec spec, FieldPath path, ErrorList errors)
    {
        if (spec.CompletionMode is not ("NonIndexed" or "Indexed"))
        {
            errors.NotSupported(path.Child("completionMode"), spec.CompletionMode, "Indexed", "NonIndexed");
        }

        if (spec.CompletionMode == "Indexed")
        {
            if (spec.Completions is null)
            {
                errors.Required(path.Child("completions"), "when completion mode is Indexed");
            }

            if (spec.Parallelism > 100000)
            {
                errors.Invalid(path.Child("parallelism"), spec.Parallelism, "must be less than or equal to 100000 when completion mode is Indexed");
            }
        }
        else if (spec.BackoffLimitPerIndex is not null)
        {
            errors.Invalid(path.Child("backoffLimitPerIndex"), spec.BackoffLimitPerIndex, "requires indexed completion mode");
        }
    }
}
