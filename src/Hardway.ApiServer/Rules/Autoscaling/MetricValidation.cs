using Hardway.Api.Autoscaling.V2;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Autoscaling;

/// <summary>What must hold of a metric that an autoscaler follows: one source, the one that its type names, with a target that fits it.</summary>
internal static class MetricValidation
{
    private static readonly string[] s_types = ["ContainerResource", "External", "Object", "Pods", "Resource"];

    public static void Validate(MetricSpec metric, FieldPath path, ErrorList errors)
    {
        if (metric.Type.Length == 0)
        {
            errors.Required(path.Child("type"), "must specify a metric source type");
            return;
        }

        if (!s_types.Contains(metric.Type))
        {
            errors.NotSupported(path.Child("type"), metric.Type, s_types);
            errors.NotSupported(path.Child("type"), metric.Type, s_types);
            return;
        }

        var sources = new (string Type, string Name, object? Value)[]
        {
            ("Object", "object", metric.Object), ("Pods", "pods", metric.Pods), ("Resource", "resource", metric.Resource),
            ("ContainerResource", "containerResource", metric.ContainerResource), ("External", "external", metric.External),
        };
        var seen = sources.Count(s => s.Value is not null);
        foreach (var (type, name, given) in sources)
        {
            if (type == metric.Type && given is null)
            {
                errors.Required(path.Child(name), "must populate information for the given metric source");
            }
            else if (type != metric.Type && given is not null && seen > 1)
            {
                errors.Forbidden(path.Child(name), "must populate the given metric source only");
            }
        }

        Sources(metric, path, errors);
    }

    private static void Sources(MetricSpec metric, FieldPath path, ErrorList errors)
    {
        if (metric.Object is { } described)
        {
            Object(described, path.Child("object"), errors);
        }

        if (metric.Pods is { } pods)
        {
            Identifier(pods.Metric, path.Child("pods", "metric"), errors);
            Target(pods.Target, path.Child("pods", "target"), errors);
            if (pods.Target.AverageValue is null)
            {
                errors.Required(path.Child("pods", "target", "averageValue"), "must specify a positive target averageValue");
            }
        }

        if (metric.Resource is { } resource)
        {
            Resource(resource.Name, resource.Target, path.Child("resource"), errors);
        }

        if (metric.ContainerResource is { } container)
        {
            Resource(container.Name, container.Target, path.Child("containerResource"), errors);
            if (container.Container.Length == 0)
            {
                errors.Required(path.Child("containerResource", "container"), "must specify a container name");
            }
        }

        if (metric.External is { } external)
        {
            Identifier(external.Metric, path.Child("external", "metric"), errors);
            Target(external.Target, path.Child("external", "target"), errors);
            ValueOrAverage(external.Target, path.Child("external", "target"), errors);
        }
    }

    private static void Object(ObjectMetricSource source, FieldPath path, ErrorList errors)
    {
        var described = source.DescribedObject;
        if (described.Kind.Length == 0)
        {
            errors.Required(path.Child("describedObject", "kind"));
        }

        if (described.Name.Length == 0)
        {
            errors.Required(path.Child("describedObject", "name"));
        }

        if (described.ApiVersion.Length == 0)
        {
            errors.Required(path.Child("describedObject", "apiVersion"));
        }

        Identifier(source.Metric, path.Child("metric"), errors);
        Target(source.Target, path.Child("target"), errors);
        if (source.Target.Value is null && source.Target.AverageValue is null)
        {
            errors.Required(path.Child("target", "averageValue"), "must set either a target value or averageValue");
        }
    }

    private static void Resource(string name, MetricTarget target, FieldPath path, ErrorList errors)
    {
        if (name.Length == 0)
        {
            errors.Required(path.Child("name"), "must specify a resource name");
        }

        Target(target, path.Child("target"), errors);
        if (target.AverageUtilization is null && target.AverageValue is null)
        {
            errors.Required(path.Child("target", "averageUtilization"), "must set either a target raw value or a target utilization");
        }
        else if (target.AverageUtilization is not null && target.AverageValue is not null)
        {
            errors.Forbidden(path.Child("target", "averageValue"), "may not set both a target raw value and a target utilization");
        }
    }

    private static void ValueOrAverage(MetricTarget target, FieldPath path, ErrorList errors)
    {
        if (target.Value is null && target.AverageValue is null)
        {
            errors.Required(path.Child("averageValue"), "must set either a target value for metric or a per-pod target");
        }
        else if (target.Value is not null && target.AverageValue is not null)
        {
            errors.Forbidden(path.Child("value"), "may not set both a target value for metric and a per-pod target");
        }
    }

    /// <summary>A metric's name, which stands in paths of the metrics APIs.</summary>
    private static void Identifier(MetricIdentifier metric, FieldPath path, ErrorList errors)
    {
        if (metric.Name.Length == 0)
        {
            errors.Required(path.Child("name"), "must specify a metric name");
        }
        else if (Registry.ObjectNames.PathSegment(metric.Name, prefix: false) is { } fault)
        {
            errors.Invalid(path.Child("name"), metric.Name, fault);
        }
    }

    private static void Target(MetricTarget target, FieldPath path, ErrorList errors)
    {
        if (target.Type.Length == 0)
        {
            errors.Required(path.Child("type"), "must specify a metric target type");
        }
        else if (target.Type is not ("Utilization" or "Value" or "AverageValue"))
        {
            errors.Invalid(path.Child("type"), target.Type, "must be either Utilization, Value, or AverageValue");
        }

        if (target.Value?.Sign <= 0)
        {
            errors.Invalid(path.Child("value"), target.Value.ToString(), "must be positive");
        }

        if (target.AverageValue?.Sign <= 0)
        {
            errors.Invalid(path.Child("averageValue"), target.AverageValue.ToString(), "must be positive");
        }

        if (target.AverageUtilization < 1)
        {
            errors.Invalid(path.Child("averageUtilization"), target.AverageUtilization, "must be greater than 0");
        }
    }
}
