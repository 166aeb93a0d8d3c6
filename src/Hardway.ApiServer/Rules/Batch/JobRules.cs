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
        JobSpecValidation.Validate(value.Spec, FieldPath.Spec, errors);
        JobSpecValidation.Selector(value.Spec, errors);
        GeneratedSelector(value, errors);
        if (value.Spec.CompletionMode == "Indexed" && value.Metadata.Name.Length + IndexLength(value.Spec) > 63)
        {
            errors.Invalid(FieldPath.Metadata.Child("name"), value.Metadata.Name, "with the index of a Pod behind it, it must be no more than 63 characters");
        }
    }

    protected override void ValidateUpdate(RuleContext context, Job value, Job old, ErrorList errors)
    {
        if (context.Subresource == "status")
        {
            JobStatusValidation.Validate(value, old, errors);
            return;
        }

        JobSpecValidation.Validate(value.Spec, FieldPath.Spec, errors);
        JobSpecValidation.Selector(value.Spec, errors);
        var path = FieldPath.Spec;
        if (!MayResize(value.Spec, old.Spec) && value.Spec.Completions != old.Spec.Completions)
        {
            errors.Invalid(path.Child("completions"), value.Spec.Completions, "field is immutable");
        }

        WorkloadValidation.Immutable(errors, path.Child("selector"), value.Spec.Selector, old.Spec.Selector);
        if (!ApiStruct.DeepEquals(Template(value, old), old.Spec.Template))
        {
            errors.Invalid(path.Child("template"), "", "field is immutable");
        }

        WorkloadValidation.Immutable(errors, path.Child("completionMode"), value.Spec.CompletionMode, old.Spec.CompletionMode);
        WorkloadValidation.Immutable(errors, path.Child("podFailurePolicy"), value.Spec.PodFailurePolicy, old.Spec.PodFailurePolicy);
        WorkloadValidation.Immutable(errors, path.Child("successPolicy"), value.Spec.SuccessPolicy, old.Spec.SuccessPolicy);
        WorkloadValidation.Immutable(errors, path.Child("managedBy"), value.Spec.ManagedBy, old.Spec.ManagedBy);
        if (value.Spec.BackoffLimitPerIndex != old.Spec.BackoffLimitPerIndex)
        {
            errors.Invalid(path.Child("backoffLimitPerIndex"), value.Spec.BackoffLimitPerIndex, "field is immutable");
        }
    }

    protected override void Warn(RuleContext context, Job value, Job? old) => PodWarnings.OfTemplate(context, value, old, value.Spec.Template, FieldPath.Spec.Child("template"));

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

    /// <summary>The longest index and the dash before it.</summary>
    private static int IndexLength(JobSpec spec) => 1 + Math.Max(0, (spec.Completions ?? 1) - 1).ToString(CultureInfo.InvariantCulture).Length;

    /// <summary>Jobs whose selector is not written by hand must carry the one made for them.</summary>
    private static void GeneratedSelector(Job value, ErrorList errors)
    {
        if (value.Spec.ManualSelector == true)
        {
            return;
        }

        var (selected, labels) = (value.Spec.Selector?.MatchLabels, value.Spec.Template.Metadata.Labels);
        if (s_uidLabels.All(l => selected?.ContainsKey(l) != true) || s_uidLabels.Any(l => selected?.GetValueOrDefault(l) is { } uid && uid != value.Metadata.Uid))
        {
            errors.Invalid(FieldPath.Spec.Child("selector"), TableText.Of(value.Spec.Selector), "`selector` not auto-generated");
        }

        foreach (var (label, wanted) in s_uidLabels.Select(l => (l, value.Metadata.Uid)).Concat(s_nameLabels.Select(l => (l, value.Metadata.Name))))
        {
            if (labels?.GetValueOrDefault(label) != wanted)
            {
                errors.Invalid(FieldPath.Spec.Child("template", "metadata", "labels"), TableText.Of(labels), $"must have {label} as it was made for this Job");
            }
        }
    }

    /// <summary>An indexed Job grows and shrinks when completions and parallelism change together (KEP-3715).</summary>
    private static bool MayResize(JobSpec spec, JobSpec old) => spec.CompletionMode == "Indexed" && old.Completions is not null && spec.Completions is not null && spec.Completions == spec.Parallelism;

    /// <summary>The template with what may change of it put back: where its Pods may run, while the Job is suspended and none has started.</summary>
    private static Hardway.Api.Core.V1.PodTemplateSpec Template(Job value, Job old)
    {
        if (old.Spec.Suspend != true || old.Status.StartTime is not null)
        {
            return value.Spec.Template;
        }

        var template = value.Spec.Template.Clone();
        var before = old.Spec.Template;
        template.Metadata.Labels = before.Metadata.Labels;
        template.Metadata.Annotations = before.Metadata.Annotations;
        template.Spec.NodeSelector = before.Spec.NodeSelector;
        template.Spec.Tolerations = before.Spec.Tolerations;
        template.Spec.SchedulingGates = before.Spec.SchedulingGates;
        if (template.Spec.Affinity is not null || before.Spec.Affinity is not null)
        {
            template.Spec.Affinity ??= new();
            template.Spec.Affinity.NodeAffinity = before.Spec.Affinity?.NodeAffinity;
            template.Spec.Affinity = before.Spec.Affinity is null && ApiStruct.DeepEquals(template.Spec.Affinity, new Hardway.Api.Core.V1.Affinity()) ? null : template.Spec.Affinity;
        }

        return template;
    }
}
