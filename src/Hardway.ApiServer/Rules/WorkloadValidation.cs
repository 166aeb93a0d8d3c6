using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Rules.Core;

namespace Hardway.ApiServer.Rules;

/// <summary>Checks that the kinds which make Pods share.</summary>
internal static class WorkloadValidation
{
    public static void Count(ErrorList errors, FieldPath path, long? value)
    {
        if (value < 0)
        {
            errors.Invalid(path, value, "must be greater than or equal to 0");
        }
    }

    /// <summary>A selector that must be there and choose something.</summary>
    public static void RequiredSelector(ErrorList errors, FieldPath path, LabelSelector? selector)
    {
        if (selector is null)
        {
            errors.Required(path);
            return;
        }

        LabelSelector(errors, path, selector);
        if (selector.MatchLabels is not { Count: > 0 } && selector.MatchExpressions is not { Count: > 0 })
        {
            errors.Invalid(path, "{}", "an empty selector is not allowed here");
        }
    }

    public static void LabelSelector(ErrorList errors, FieldPath path, LabelSelector? selector)
    {
        Names.CheckLabels(errors, path.Child("matchLabels"), selector?.MatchLabels);
        for (var i = 0; i < selector?.MatchExpressions?.Count; i++)
        {
            var expression = selector.MatchExpressions[i];
            var at = path.Child("matchExpressions").Index(i);
            switch (expression.Operator)
            {
                case "In" or "NotIn" when expression.Values is not { Count: > 0 }:
                    errors.Required(at.Child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
                    break;
                case "Exists" or "DoesNotExist" when expression.Values is { Count: > 0 }:
                    errors.Forbidden(at.Child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
                    break;
                case "In" or "NotIn" or "Exists" or "DoesNotExist":
                    break;
                default:
                    errors.Invalid(at.Child("operator"), expression.Operator, "is no selector operator: In, NotIn, Exists, DoesNotExist");
                    break;
            }

            Names.CheckLabelKey(errors, at.Child("key"), expression.Key);
            for (var v = 0; v < expression.Values?.Count; v++)
            {
                Names.CheckLabelValue(errors, at.Child("values").Index(v), expression.Values[v]);
            }
        }
    }

    /// <summary>
    /// Template of a workload that keeps its Pods running: it carries what the selector asks for, has only restartPolicy Always and no deadline.
    /// With a selector that cannot be read the template is not looked at.
    /// </summary>
    public static void SelectedTemplate(ErrorList errors, FieldPath spec, LabelSelector? selector, PodTemplateSpec template)
    {
        if (Compile(selector) is not { } compiled)
        {
            errors.Invalid(spec.Child("selector"), TableText.Of(selector), "is no label selector");
            return;
        }

        TemplateMatches(errors, spec.Child("template"), compiled, selector, template);
        RunningTemplate(errors, spec.Child("template"), template);
    }

    /// <summary>A selector that is missing matches nothing, an empty one everything.</summary>
    public static void TemplateMatches(ErrorList errors, FieldPath path, Selector compiled, LabelSelector? selector, PodTemplateSpec template)
    {
        if (selector is null || !compiled.Matches(template.Metadata.Labels))
        {
            errors.Invalid(path.Child("metadata", "labels"), TableText.Of(template.Metadata.Labels), "`selector` does not match template `labels`");
        }
    }

    /// <summary>Null for a selector that cannot be read.</summary>
    public static Selector? Compile(LabelSelector? selector)
    {
        try
        {
            return Selector.From(selector);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    public static void RunningTemplate(ErrorList errors, FieldPath path, PodTemplateSpec template)
    {
        PodSpecValidation.ValidateTemplate(template, path, errors, "Always");
        if (template.Spec.ActiveDeadlineSeconds is not null)
        {
            errors.Forbidden(path.Child("spec", "activeDeadlineSeconds"), "a Pod that is to run for ever has no deadline");
        }
    }

    /// <summary>Of a status: no part is below zero or above the whole, and not more is available than ready.</summary>
    public static void Replicas(ErrorList errors, long whole, params ReadOnlySpan<(string Name, long Count)> parts)
    {
        Count(errors, FieldPath.Status.Child("replicas"), whole);
        var (ready, available) = (0L, 0L);
        foreach (var (name, count) in parts)
        {
            Count(errors, FieldPath.Status.Child(name), count);
            if (count > whole)
            {
                errors.Invalid(FieldPath.Status.Child(name), count, "cannot be greater than status.replicas");
            }

            (ready, available) = (name == "readyReplicas" ? count : ready, name == "availableReplicas" ? count : available);
        }

        if (available > ready)
        {
            errors.Invalid(FieldPath.Status.Child("availableReplicas"), available, "cannot be greater than readyReplicas");
        }
    }

    /// <summary>A count or a percentage between 0 and 100.</summary>
    public static void CountOrPercent(ErrorList errors, FieldPath path, IntOrString? value, bool atMostAll = true)
    {
        if (value is not { } given)
        {
            return;
        }

        if (given.IsInt)
        {
            Count(errors, path, given.IntValue);
            return;
        }

        if (given.Scaled(100, roundUp: false) is not { } percent || given.StringValue.Any(c => !char.IsAsciiDigit(c) && c != '%'))
        {
            errors.Invalid(path, given.StringValue, "is no percentage such as 25%");
        }
        else if (percent > 100 && atMostAll)
        {
            errors.Invalid(path, given.StringValue, "must not be greater than 100%");
        }
    }

    public static bool IsZero(IntOrString? value) => value is { } given && (given.IsInt ? given.IntValue == 0 : given.Scaled(100, roundUp: true) == 0);

    /// <summary>A field that an update may not change.</summary>
    public static void Immutable(ErrorList errors, FieldPath path, ApiStruct? value, ApiStruct? old)
    {
        if (!ApiStruct.DeepEquals(value, old))
        {
            errors.Invalid(path, value?.ToString(), "field is immutable");
        }
    }

    public static void Immutable(ErrorList errors, FieldPath path, string? value, string? old)
    {
        if ((value ?? "") != (old ?? ""))
        {
            errors.Invalid(path, value, "field is immutable");
        }
    }
}
