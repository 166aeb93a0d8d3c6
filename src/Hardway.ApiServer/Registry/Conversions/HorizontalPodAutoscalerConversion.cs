using System.Text;
using Hardway.Api;

namespace Hardway.ApiServer.Registry.Conversions;

/// <summary>
/// autoscaling/v1 knows one metric, the processor's utilization, as a field; what v2 has beyond it travels in annotations, in upstream's forms:
/// metrics and their state in shapes of v1 (<see cref="LegacyMetrics"/>), behavior under the names of Go's fields, conditions as they are.
/// In v2 the annotations are never shown.
/// </summary>
internal static class HorizontalPodAutoscalerConversion
{
    private const string Prefix = "autoscaling.alpha.kubernetes.io/";
    private const string MetricsKey = Prefix + "metrics";
    private const string StatesKey = Prefix + "current-metrics";
    private const string BehaviorKey = Prefix + "behavior";
    private const string ConditionsKey = Prefix + "conditions";
    private static readonly string[] s_keys = [MetricsKey, StatesKey, BehaviorKey, ConditionsKey];

    public static void ToV1(Dictionary<string, object?> tree)
    {
        var spec = tree.MapOrNew("spec");
        var status = tree.MapOrNew("status");
        var texts = Drop(tree) ?? Tree.New();
        var others = new List<object?>();
        foreach (var metric in spec.Maps("metrics"))
        {
            if (Utilization(metric, "target") is { } percent)
            {
                spec["targetCPUUtilizationPercentage"] = percent;
            }
            else
            {
                others.Add(LegacyMetrics.ToSpec(metric));
            }
        }

        foreach (var state in status.Maps("currentMetrics"))
        {
            if (Utilization(state, "current") is { } percent)
            {
                status["currentCPUUtilizationPercentage"] = percent;
            }
        }

        Keep(texts, MetricsKey, others);
        Keep(texts, StatesKey, [.. status.Maps("currentMetrics").Select(LegacyMetrics.ToStatus)]);
        Keep(texts, ConditionsKey, [.. status.Maps("conditions")]);
        if (spec.Map("behavior") is { } behavior)
        {
            texts[BehaviorKey] = Text(LegacyBehavior.ToGo(behavior));
        }

        spec.Remove("metrics");
        spec.Remove("behavior");
        status.Remove("currentMetrics");
        status.Remove("conditions");
        if (texts.Count > 0)
        {
            tree.MapOrNew("metadata")["annotations"] = texts;
        }
    }

    public static void ToV2(Dictionary<string, object?> tree)
    {
        var spec = tree.MapOrNew("spec");
        var status = tree.MapOrNew("status");
        var before = tree.Map("metadata")?.Map("annotations") ?? Tree.New();
        var metrics = Read<List<object?>>(before, MetricsKey)?.OfType<Dictionary<string, object?>>().Select(LegacyMetrics.FromSpec).ToList<object?>() ?? [];
        if (spec.Remove("targetCPUUtilizationPercentage", out var target) && target is not null)
        {
            metrics.Add(Processor("target", target));
        }

        Keep(spec, "metrics", metrics);
        var states = Read<List<object?>>(before, StatesKey)?.OfType<Dictionary<string, object?>>().Select(LegacyMetrics.FromStatus).ToList<object?>() ?? [];
        if (status.Remove("currentCPUUtilizationPercentage", out var current) && current is not null && states.Count == 0)
        {
            states.Add(Processor("current", current));
        }

        // The type says that there is a list, be it none.
        status["currentMetrics"] = states.Count > 0 ? states : null;
        if (Read<List<object?>>(before, ConditionsKey) is { Count: > 0 } conditions)
        {
            status["conditions"] = conditions;
        }

        if (Read<Dictionary<string, object?>>(before, BehaviorKey) is { } behavior)
        {
            spec["behavior"] = LegacyBehavior.FromGo(behavior);
        }

        Drop(tree);
    }

    /// <summary>The annotations without those that carry the other version; none are left out of the tree altogether.</summary>
    private static Dictionary<string, object?>? Drop(Dictionary<string, object?> tree)
    {
        if (tree.Map("metadata") is not { } metadata || metadata.Map("annotations") is not { } annotations)
        {
            return null;
        }

        foreach (var key in s_keys)
        {
            annotations.Remove(key);
        }

        if (annotations.Count == 0)
        {
            metadata.Remove("annotations");
        }

        return annotations;
    }

    private static object? Utilization(Dictionary<string, object?> metric, string part) =>
        metric.GetValueOrDefault("type") is "Resource" && metric.Map("resource") is { } resource && resource.GetValueOrDefault("name") is "cpu"
            ? resource.Map(part)?.GetValueOrDefault("averageUtilization")
            : null;

    private static Dictionary<string, object?> Processor(string part, object percent)
    {
        var values = Tree.New();
        if (part == "target")
        {
            values["type"] = "Utilization";
        }

        values["averageUtilization"] = percent;
        var resource = Tree.New();
        resource["name"] = "cpu";
        resource[part] = values;
        var metric = Tree.New();
        metric["type"] = "Resource";
        metric["resource"] = resource;
        return metric;
    }

    private static void Keep(Dictionary<string, object?> where, string name, List<object?> items)
    {
        if (items.Count > 0)
        {
            where[name] = name.Contains('/') ? Text(items) : items;
        }
    }

    private static string Text(object tree) => Encoding.UTF8.GetString(ApiJson.SerializeTree(tree));

    /// <summary>What an annotation holds; one that anybody wrote anything into is passed over, as upstream does.</summary>
    private static T? Read<T>(Dictionary<string, object?> annotations, string key)
        where T : class
    {
        try
        {
            return annotations.GetValueOrDefault(key) is string text ? ApiJson.DeserializeTree(Encoding.UTF8.GetBytes(text)) as T : null;
        }
        catch (ApiDecodeException)
        {
            return null;
        }
    }
}
