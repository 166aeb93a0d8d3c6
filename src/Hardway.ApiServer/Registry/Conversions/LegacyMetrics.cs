namespace Hardway.ApiServer.Registry.Conversions;

/// <summary>
/// An autoscaler's metrics in the shapes of autoscaling/v1, which only annotations use: each value a field of its own, where v2 has a metric, a
/// target and a current value.
/// </summary>
internal static class LegacyMetrics
{
    public static Dictionary<string, object?> ToSpec(Dictionary<string, object?> metric) => Convert(metric, (kind, source) => To(kind, source, "target"));

    public static Dictionary<string, object?> ToStatus(Dictionary<string, object?> metric) => Convert(metric, (kind, source) => To(kind, source, "current"));

    public static Dictionary<string, object?> FromSpec(Dictionary<string, object?> metric) => Convert(metric, (kind, source) => From(kind, source, "target"));

    public static Dictionary<string, object?> FromStatus(Dictionary<string, object?> metric) => Convert(metric, (kind, source) => From(kind, source, "current"));

    private static Dictionary<string, object?> Convert(Dictionary<string, object?> metric, Func<string, Dictionary<string, object?>, Dictionary<string, object?>> change)
    {
        var result = Tree.New();
        metric.Copy("type", result, "type");
        foreach (var (kind, value) in metric)
        {
            if (value is Dictionary<string, object?> source)
            {
                result[kind] = change(kind, source);
            }
        }

        return result;
    }

    /// <summary>The names of a value's forms in v1: an object's average has a name without its part.</summary>
    private static (string Value, string Average, string Utilization) Names(string kind, string part) =>
        (part + "Value", kind == "object" ? "averageValue" : part + "AverageValue", part + "AverageUtilization");

    private static Dictionary<string, object?> To(string kind, Dictionary<string, object?> source, string part)
    {
        var (value, average, utilization) = Names(kind, part);
        var values = source.Map(part) ?? Tree.New();
        var named = source.Map("metric") ?? Tree.New();
        var result = Tree.New();
        switch (kind)
        {
            case "object":
                source.Copy("describedObject", result, "target");
                named.Copy("name", result, "metricName");
                result[value] = values.GetValueOrDefault("value") ?? "0";
                named.Copy("selector", result, "selector");
                values.Copy("averageValue", result, average);
                break;
            case "pods":
                named.Copy("name", result, "metricName");
                result[average] = values.GetValueOrDefault("averageValue") ?? "0";
                named.Copy("selector", result, "selector");
                break;
            case "external":
                named.Copy("name", result, "metricName");
                named.Copy("selector", result, "metricSelector");
                if (part == "current")
                {
                    result[value] = values.GetValueOrDefault("value") ?? "0";
                }
                else
                {
                    values.Copy("value", result, value);
                }

                values.Copy("averageValue", result, average);
                break;
            default:
                source.Copy("name", result, "name");
                values.Copy("averageUtilization", result, utilization);
                if (part == "current")
                {
                    result[average] = values.GetValueOrDefault("averageValue") ?? "0";
                }
                else
                {
                    values.Copy("averageValue", result, average);
                }

                source.Copy("container", result, "container");
                break;
        }

        return result;
    }

    private static Dictionary<string, object?> From(string kind, Dictionary<string, object?> source, string part)
    {
        var (value, average, utilization) = Names(kind, part);
        var values = Tree.New();
        var result = Tree.New();
        source.Copy(utilization, values, "averageUtilization");
        source.Copy(average, values, "averageValue");
        if (kind is "object" or "external" && !(kind == "object" && values.ContainsKey("averageValue") && source.GetValueOrDefault(value) is "0"))
        {
            source.Copy(value, values, "value");
        }

        if (part == "target")
        {
            values["type"] = values.ContainsKey("averageUtilization") ? "Utilization" : values.ContainsKey("averageValue") ? "AverageValue" : "Value";
        }

        result[part] = values;
        if (kind is "resource" or "containerResource")
        {
            source.Copy("name", result, "name");
            source.Copy("container", result, "container");
            return result;
        }

        var named = Tree.New();
        source.Copy("metricName", named, "name");
        source.Copy(kind == "external" ? "metricSelector" : "selector", named, "selector");
        result["metric"] = named;
        if (kind == "object")
        {
            source.Copy("target", result, "describedObject");
        }

        return result;
    }
}
