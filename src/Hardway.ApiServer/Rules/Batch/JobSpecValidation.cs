using Hardway.Api.Batch.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Rules.Core;

namespace Hardway.ApiServer.Rules.Batch;

/// <summary>What must hold of a Job's spec, in a Job and in a CronJob's template.</summary>
internal static class JobSpecValidation
{
    private const int MaxIndexedParallelism = 100_000;
    private const int MaxCompletionsPerIndex = 100_000;
    private const int MaxFailedIndexesOfMany = 10_000;

    public static void Validate(JobSpec spec, FieldPath path, ErrorList errors)
    {
        WorkloadValidation.Count(errors, path.Child("parallelism"), spec.Parallelism);
        WorkloadValidation.Count(errors, path.Child("completions"), spec.Completions);
        WorkloadValidation.Count(errors, path.Child("activeDeadlineSeconds"), spec.ActiveDeadlineSeconds);
        WorkloadValidation.Count(errors, path.Child("backoffLimit"), spec.BackoffLimit);
        WorkloadValidation.Count(errors, path.Child("ttlSecondsAfterFinished"), spec.TtlSecondsAfterFinished);
        WorkloadValidation.Count(errors, path.Child("backoffLimitPerIndex"), spec.BackoffLimitPerIndex);
        WorkloadValidation.Count(errors, path.Child("maxFailedIndexes"), spec.MaxFailedIndexes);
        if (spec.BackoffLimitPerIndex is null && spec.MaxFailedIndexes is not null)
        {
            errors.Required(path.Child("backoffLimitPerIndex"), "when maxFailedIndexes is specified");
        }

        if (spec.CompletionMode is not (null or "NonIndexed" or "Indexed"))
        {
            errors.NotSupported(path.Child("completionMode"), spec.CompletionMode, "Indexed", "NonIndexed");
        }

        Indexed(spec, path, errors);
        ManagedBy(spec.ManagedBy, path.Child("managedBy"), errors);
        JobPolicyValidation.Failure(spec, path, errors);
        JobPolicyValidation.Success(spec, path.Child("successPolicy"), errors);
        PodSpecValidation.ValidateTemplate(spec.Template, path.Child("template"), errors);
        var restart = path.Child("template", "spec", "restartPolicy");
        if (spec.Template.Spec.RestartPolicy is not ("OnFailure" or "Never"))
        {
            // Always is what a template has that says nothing: so it counts as missing.
            errors.Required(restart, "valid values: \"OnFailure\", \"Never\"");
        }
        else if (spec.PodFailurePolicy is not null && spec.Template.Spec.RestartPolicy != "Never")
        {
            errors.Invalid(restart, spec.Template.Spec.RestartPolicy, "only \"Never\" is supported when podFailurePolicy is specified");
        }
    }

    /// <summary>Of a Job itself: a CronJob's template has none.</summary>
    public static void Selector(JobSpec spec, ErrorList errors)
    {
        var path = FieldPath.Spec.Child("selector");
        if (spec.Selector is null)
        {
            errors.Required(path);
            return;
        }

        WorkloadValidation.LabelSelector(errors, path, spec.Selector);
        if (WorkloadValidation.Compile(spec.Selector) is { } compiled)
        {
            WorkloadValidation.TemplateMatches(errors, FieldPath.Spec.Child("template"), compiled, spec.Selector, spec.Template);
        }
    }

    private static void Indexed(JobSpec spec, FieldPath path, ErrorList errors)
    {
        if (spec.CompletionMode != "Indexed")
        {
            foreach (var (name, value) in new[] { ("backoffLimitPerIndex", spec.BackoffLimitPerIndex), ("maxFailedIndexes", spec.MaxFailedIndexes) })
            {
                if (value is not null)
                {
                    errors.Invalid(path.Child(name), value, "requires indexed completion mode");
                }
            }

            return;
        }

        if (spec.Completions is null)
        {
            errors.Required(path.Child("completions"), "when completion mode is Indexed");
        }

        AtMost(errors, path.Child("parallelism"), spec.Parallelism, MaxIndexedParallelism, "when completion mode is Indexed");
        if (spec.Completions is { } completions)
        {
            AtMost(errors, path.Child("maxFailedIndexes"), spec.MaxFailedIndexes, completions, "as many as completions");
        }

        AtMost(errors, path.Child("maxFailedIndexes"), spec.MaxFailedIndexes, MaxCompletionsPerIndex, "");
        if (spec.Completions > MaxCompletionsPerIndex && spec.BackoffLimitPerIndex is not null)
        {
            if (spec.MaxFailedIndexes is null)
            {
                errors.Required(path.Child("maxFailedIndexes"), $"must be specified when completions is above {MaxCompletionsPerIndex}");
            }

            AtMost(errors, path.Child("parallelism"), spec.Parallelism, MaxFailedIndexesOfMany, "with so many completions and backoffLimitPerIndex");
            AtMost(errors, path.Child("maxFailedIndexes"), spec.MaxFailedIndexes, MaxFailedIndexesOfMany, "with so many completions and backoffLimitPerIndex");
        }
    }

    private static void AtMost(ErrorList errors, FieldPath path, int? value, int most, string when)
    {
        if (value > most)
        {
            errors.Invalid(path, value, $"must be less than or equal to {most} {when}".TrimEnd());
        }
    }

    /// <summary>A domain, a slash and a path, together at most 63 characters.</summary>
    private static void ManagedBy(string? value, FieldPath path, ErrorList errors)
    {
        if (value is null)
        {
            return;
        }

        var slash = value.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || slash == value.Length - 1 || !Names.IsDnsSubdomain(value[..slash]))
        {
            errors.Invalid(path, value, "must be a domain-prefixed path (such as acme.io/foo)");
        }

        if (value.Length > 63)
        {
            errors.TooLong(path, 63, "characters");
        }
    }
}
