using System.Globalization;
using Hardway.Api.Batch.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Batch;

/// <summary>When a Job fails early (KEP-3329), replaces its Pods (KEP-3939) and succeeds early (KEP-3998).</summary>
internal static class JobPolicyValidation
{
    private const int MaxRules = 20;
    private const int MaxConditions = 20;
    private const int MaxExitCodes = 255;

    public static void Failure(JobSpec spec, FieldPath path, ErrorList errors)
    {
        if (spec.PodReplacementPolicy is { } replacement)
        {
            string[] known = spec.PodFailurePolicy is null ? ["Failed", "TerminatingOrFailed"] : ["Failed"];
            if (!known.Contains(replacement))
            {
                errors.NotSupported(path.Child("podReplacementPolicy"), replacement, known);
            }
        }

        if (spec.PodFailurePolicy is not { } policy)
        {
            return;
        }

        var at = path.Child("podFailurePolicy", "rules");
        if (policy.Rules?.Count > MaxRules)
        {
            errors.TooMany(at, policy.Rules.Count, MaxRules);
        }

        var names = (spec.Template.Spec.Containers ?? []).Concat(spec.Template.Spec.InitContainers ?? []).Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
        for (var i = 0; i < policy.Rules?.Count; i++)
        {
            Rule(policy.Rules[i], spec, names, at.Index(i), errors);
        }
    }

    public static void Success(JobSpec spec, FieldPath path, ErrorList errors)
    {
        if (spec.SuccessPolicy is not { } policy)
        {
            return;
        }

        if (spec.CompletionMode != "Indexed")
        {
            errors.Invalid(path, "", "requires indexed completion mode");
            return;
        }

        var rules = path.Child("rules");
        if (policy.Rules is not { Count: > 0 })
        {
            errors.Required(rules, "at least one rule must be specified when the successPolicy is specified");
        }
        else if (policy.Rules.Count > MaxRules)
        {
            errors.TooMany(rules, policy.Rules.Count, MaxRules);
        }

        for (var i = 0; i < policy.Rules?.Count; i++)
        {
            Rule(policy.Rules[i], spec.Completions ?? 0, rules.Index(i), errors);
        }
    }

    private static void Rule(SuccessPolicyRule rule, int completions, FieldPath path, ErrorList errors)
    {
        if (rule.SucceededIndexes is null && rule.SucceededCount is null)
        {
            errors.Required(path, "at least one of succeededCount or succeededIndexes must be specified");
            return;
        }

        WorkloadValidation.Count(errors, path.Child("succeededCount"), rule.SucceededCount);
        if (rule.SucceededCount > completions)
        {
            errors.Invalid(path.Child("succeededCount"), rule.SucceededCount, $"must be less than or equal to {completions} (the number of specified completions)");
        }

        if (rule.SucceededIndexes is not { } indexes)
        {
            return;
        }

        if (Indexes(indexes, completions) is not { } total)
        {
            errors.Invalid(path.Child("succeededIndexes"), indexes, "must be indexes and ranges of them in ascending order, below the number of completions, such as 1,3-5");
        }
        else if (rule.SucceededCount > total)
        {
            errors.Invalid(path.Child("succeededCount"), rule.SucceededCount, $"must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)");
        }
    }

    /// <summary>How many indexes a text such as 1,3-5 names; null when it cannot be read.</summary>
    private static int? Indexes(string text, int completions)
    {
        if (text.Length == 0)
        {
            return 0;
        }

        var (total, last) = (0, -1);
        foreach (var part in text.Split(','))
        {
            var ends = part.Split('-');
            if (ends.Length > 2 || !Number(ends[0], out var from) || !Number(ends[^1], out var to) || from <= last || to < from || (ends.Length == 2 && to == from) || to >= completions)
            {
                return null;
            }

            total += to - from + 1;
            last = to;
        }

        return total;
    }

    private static bool Number(string text, out int value) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    private static void Rule(PodFailurePolicyRule rule, JobSpec spec, HashSet<string> containers, FieldPath path, ErrorList errors)
    {
        switch (rule.Action)
        {
            case "":
                errors.Required(path.Child("action"), "valid values: \"Count\", \"FailIndex\", \"FailJob\", \"Ignore\"");
                break;
            case "FailIndex" when spec.BackoffLimitPerIndex is null:
                errors.Invalid(path.Child("action"), rule.Action, "requires the backoffLimitPerIndex to be set");
                break;
            case "FailIndex" or "FailJob" or "Ignore" or "Count":
                break;
            default:
                errors.NotSupported(path.Child("action"), rule.Action, "Count", "FailIndex", "FailJob", "Ignore");
                break;
        }

        if (rule.OnExitCodes is { } codes)
        {
            ExitCodes(codes, containers, path.Child("onExitCodes"), errors);
        }

        Conditions(rule.OnPodConditions, path.Child("onPodConditions"), errors);
        var hasConditions = rule.OnPodConditions is { Count: > 0 };
        if (rule.OnExitCodes is not null && hasConditions)
        {
            errors.Invalid(path, "", "specifying both OnExitCodes and OnPodConditions is not supported");
        }
        else if (rule.OnExitCodes is null && !hasConditions)
        {
            errors.Invalid(path, "", "specifying one of OnExitCodes and OnPodConditions is required");
        }
    }

    private static void ExitCodes(PodFailurePolicyOnExitCodesRequirement codes, HashSet<string> containers, FieldPath path, ErrorList errors)
    {
        if (codes.Operator.Length == 0)
        {
            errors.Required(path.Child("operator"), "valid values: \"In\", \"NotIn\"");
        }
        else if (codes.Operator is not ("In" or "NotIn"))
        {
            errors.NotSupported(path.Child("operator"), codes.Operator, "In", "NotIn");
        }

        if (codes.ContainerName is { } name && !containers.Contains(name))
        {
            errors.Invalid(path.Child("containerName"), name, "must be one of the container or initContainer names in the pod template");
        }

        var values = codes.Values ?? [];
        if (values.Count == 0)
        {
            errors.Invalid(path.Child("values"), "", "at least one value is required");
        }
        else if (values.Count > MaxExitCodes)
        {
            errors.TooMany(path.Child("values"), values.Count, MaxExitCodes);
        }

        var isOrdered = true;
        var seen = new HashSet<int>();
        for (var i = 0; i < values.Count; i++)
        {
            if (codes.Operator == "In" && values[i] == 0)
            {
                errors.Invalid(path.Child("values").Index(i), values[i], "must not be 0 for the In operator");
            }

            if (!seen.Add(values[i]))
            {
                errors.Duplicate(path.Child("values").Index(i), values[i]);
            }

            isOrdered &= i == 0 || values[i - 1] <= values[i];
        }

        if (!isOrdered)
        {
            errors.Invalid(path.Child("values"), string.Join(",", values), "must be ordered");
        }
    }

    private static void Conditions(List<PodFailurePolicyOnPodConditionsPattern>? conditions, FieldPath path, ErrorList errors)
    {
        if (conditions?.Count > MaxConditions)
        {
            errors.TooMany(path, conditions.Count, MaxConditions);
        }

        for (var i = 0; i < conditions?.Count; i++)
        {
            Names.CheckLabelKey(errors, path.Index(i).Child("type"), conditions[i].Type);
            if (conditions[i].Status.Length == 0)
            {
                errors.Required(path.Index(i).Child("status"), "valid values: \"False\", \"True\", \"Unknown\"");
            }
            else if (conditions[i].Status is not ("True" or "False" or "Unknown"))
            {
                errors.NotSupported(path.Index(i).Child("status"), conditions[i].Status, "False", "True", "Unknown");
            }
        }
    }
}
