using System.Globalization;
using Hardway.Api.Autoscaling.V2;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Autoscaling;

internal sealed class HorizontalPodAutoscalerRules : KindRules<HorizontalPodAutoscaler>
{
    private const int MaxWindow = 3600;
    private const int MaxPeriod = 1800;

    public override bool HasStatus => true;

    public override IReadOnlyList<TableColumn> Columns => [new("Reference"), new("Targets"), new("MinPods"), new("MaxPods"), new("Replicas"), new("Age")];

    protected override void Default(HorizontalPodAutoscaler value)
    {
        value.Spec.MinReplicas ??= 1;
        if (value.Spec.Metrics is not { Count: > 0 })
        {
            value.Spec.Metrics =
            [
                new MetricSpec { Type = "Resource", Resource = new ResourceMetricSource { Name = "cpu", Target = new MetricTarget { Type = "Utilization", AverageUtilization = 80 } } },
            ];
        }

        if (value.Spec.Behavior is { } behavior)
        {
            behavior.ScaleUp = With(behavior.ScaleUp, 0, [("Pods", 4), ("Percent", 100)]);
            behavior.ScaleDown = With(behavior.ScaleDown, null, [("Percent", 100)]);
        }
    }

    protected override void Validate(RuleContext context, HorizontalPodAutoscaler value, ErrorList errors)
    {
        var spec = value.Spec;
        if (spec.MinReplicas < 1)
        {
            errors.Invalid(FieldPath.Spec.Child("minReplicas"), spec.MinReplicas, "must be greater than or equal to 1");
            if (spec.MinReplicas == 0 && spec.Metrics?.Any(m => m.Type is "Object" or "External") != true)
            {
                errors.Forbidden(FieldPath.Spec.Child("metrics"), "must specify at least one Object or External metric to support scaling to zero replicas");
            }
        }

        if (spec.MaxReplicas < 1)
        {
            errors.Invalid(FieldPath.Spec.Child("maxReplicas"), spec.MaxReplicas, "must be greater than 0");
        }

        if (spec.MaxReplicas == 0)
        {
            errors.Required(FieldPath.Spec.Child("maxReplicas"));
        }
        else if (spec.MinReplicas > spec.MaxReplicas)
        {
            errors.Invalid(FieldPath.Spec.Child("maxReplicas"), spec.MaxReplicas, "must be greater than or equal to `minReplicas`");
        }

        Reference(spec.ScaleTargetRef, errors);
        for (var i = 0; i < spec.Metrics?.Count; i++)
        {
            MetricValidation.Validate(spec.Metrics[i], FieldPath.Spec.Child("metrics").Index(i), errors);
        }

        Scaling(spec.Behavior?.ScaleUp, FieldPath.Spec.Child("behavior", "scaleUp"), errors);
        Scaling(spec.Behavior?.ScaleDown, FieldPath.Spec.Child("behavior", "scaleDown"), errors);
    }

    protected override void ValidateUpdate(RuleContext context, HorizontalPodAutoscaler value, HorizontalPodAutoscaler old, ErrorList errors)
    {
        if (context.Subresource != "status")
        {
            Validate(context, value, errors);
        }
    }

    protected override IReadOnlyList<object?> Cells(HorizontalPodAutoscaler value, DateTimeOffset now) =>
    [
        value.Metadata.Name, value.Spec.ScaleTargetRef.Kind + "/" + value.Spec.ScaleTargetRef.Name, Targets(value),
        value.Spec.MinReplicas?.ToString(CultureInfo.InvariantCulture) ?? "<unset>", (long)value.Spec.MaxReplicas, (long)value.Status.CurrentReplicas, Ages.Since(value.Metadata.CreationTimestamp, now),
    ];

    private static HPAScalingRules? With(HPAScalingRules? rules, int? window, (string Type, int Value)[] policies)
    {
        if (rules is null)
        {
            rules = new HPAScalingRules();
        }

        rules.StabilizationWindowSeconds ??= window;
        rules.SelectPolicy ??= "Max";
        rules.Policies ??= [.. policies.Select(p => new HPAScalingPolicy { Type = p.Type, Value = p.Value, PeriodSeconds = 15 })];
        return rules;
    }

    private static void Reference(CrossVersionObjectReference target, ErrorList errors)
    {
        var path = FieldPath.Spec.Child("scaleTargetRef");
        if (target.Kind.Length == 0)
        {
            errors.Required(path.Child("kind"));
        }

        if (target.Name.Length == 0)
        {
            errors.Required(path.Child("name"));
        }

        if (target.ApiVersion.Length == 0)
        {
            errors.Invalid(path.Child("apiVersion"), target.ApiVersion, "must not be empty");
        }
    }

    private static void Scaling(HPAScalingRules? rules, FieldPath path, ErrorList errors)
    {
        if (rules is null)
        {
            return;
        }

        if (rules.StabilizationWindowSeconds is < 0 or > MaxWindow)
        {
            errors.Invalid(path.Child("stabilizationWindowSeconds"), rules.StabilizationWindowSeconds, $"must be between 0 and {MaxWindow}");
        }

        if (rules.SelectPolicy is { } select && select is not ("Max" or "Min" or "Disabled"))
        {
            errors.NotSupported(path.Child("selectPolicy"), select, "Disabled", "Max", "Min");
        }

        if (rules.Policies is not { Count: > 0 })
        {
            errors.Required(path.Child("policies"), "must specify at least one Policy");
        }

        for (var i = 0; i < rules.Policies?.Count; i++)
        {
            var policy = rules.Policies[i];
            var at = path.Child("policies").Index(i);
            if (policy.Type is not ("Pods" or "Percent"))
            {
                errors.NotSupported(at.Child("type"), policy.Type, "Percent", "Pods");
            }

            if (policy.Value <= 0)
            {
                errors.Invalid(at.Child("value"), policy.Value, "must be greater than zero");
            }

            if (policy.PeriodSeconds is <= 0 or > MaxPeriod)
            {
                errors.Invalid(at.Child("periodSeconds"), policy.PeriodSeconds, $"must be between 1 and {MaxPeriod}");
            }
        }
    }

    private static string Targets(HorizontalPodAutoscaler value)
    {
        var texts = new List<string>();
        var metrics = value.Spec.Metrics ?? [];
        for (var i = 0; i < metrics.Count; i++)
        {
            var current = i < value.Status.CurrentMetrics?.Count ? value.Status.CurrentMetrics[i] : null;
            var resource = metrics[i].Resource;
            var (name, target, now) = metrics[i].Type switch
            {
                "Resource" => (resource?.Name + ": ", resource?.Target, current?.Resource?.Current),
                "ContainerResource" => (metrics[i].ContainerResource?.Name + ": ", metrics[i].ContainerResource?.Target, current?.ContainerResource?.Current),
                "Pods" => ("", metrics[i].Pods?.Target, current?.Pods?.Current),
                "Object" => ("", metrics[i].Object?.Target, current?.Object?.Current),
                _ => ("", metrics[i].External?.Target, current?.External?.Current),
            };
            texts.Add(name + Show(now?.AverageUtilization, now?.AverageValue, now?.Value, "<unknown>") + "/" + Show(target?.AverageUtilization, target?.AverageValue, target?.Value, "<auto>"));
        }

        return texts.Count == 0 ? TableText.None : texts.Count > 2 ? string.Join(", ", texts.Take(2)) + $" + {texts.Count - 2} more..." : string.Join(", ", texts);
    }

    private static string Show(int? utilization, Api.Quantity? average, Api.Quantity? value, string none) =>
        utilization is { } percent ? percent.ToString(CultureInfo.InvariantCulture) + "%" : average?.ToString() ?? value?.ToString() ?? none;
}
