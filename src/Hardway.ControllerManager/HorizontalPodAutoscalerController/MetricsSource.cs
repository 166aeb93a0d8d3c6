using Hardway.Api;
using Hardway.Api.Autoscaling.V2;
using Hardway.Api.Metrics.V1Beta1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>What a Pod was measured at: milli-units, when, and over how long.</summary>
internal readonly record struct Measured(long Milli, DateTimeOffset At, TimeSpan Window);

/// <summary>Asks the three metrics APIs (metrics.k8s.io, custom.metrics.k8s.io, external.metrics.k8s.io), which others serve behind the API server.</summary>
internal sealed class MetricsSource(KubeClient client)
{
    private const string Custom = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/";

    /// <summary>Use of a resource by Pod name; of one container, or of all (a Pod that lacks one is left out).</summary>
    public async Task<Dictionary<string, Measured>> ResourceAsync(string ns, string selector, string resource, string? container, CancellationToken ct)
    {
        var page = await AskAsync("FailedGetResourceMetric", () => client.ListAsync<PodMetrics>(new ApiResource("metrics.k8s.io", "v1beta1", "pods", "PodMetrics", true), ns, new Api.Meta.V1.ListOptions { LabelSelector = selector }, ct));
        Dictionary<string, Measured> measured = new(StringComparer.Ordinal);
        foreach (var pod in page.Items)
        {
            var containers = (pod.Containers ?? []).Where(c => container is null || c.Name == container).ToList();
            if (containers.Count == 0 || !containers.TrueForAll(c => c.Usage?.ContainsKey(resource) == true)) continue;
            measured[pod.Metadata.Name] = new Measured(containers.Sum(c => c.Usage![resource].MilliValue), pod.Timestamp ?? DateTimeOffset.MinValue, pod.Window ?? TimeSpan.FromMinutes(1));
        }
        return measured.Count > 0 ? measured : throw new MetricException("FailedGetResourceMetric", $"there are no metrics of {resource} for the Pods");
    }

    public async Task<Dictionary<string, Measured>> PodsAsync(string ns, string selector, MetricIdentifier metric, CancellationToken ct)
    {
        var tree = await AskAsync("FailedGetPodsMetric", () => client.GetTreeAsync($"{Custom}{Uri.EscapeDataString(ns)}/pods/*/{Uri.EscapeDataString(metric.Name)}{Query(("labelSelector", selector), ("metricLabelSelector", SelectorOf(metric)))}", ct));
        Dictionary<string, Measured> measured = new(StringComparer.Ordinal);
        foreach (var item in Items(tree))
        {
            if (Get(Get(item, "describedObject"), "name") is string name && Get(item, "value") is string value && Quantity.TryParse(value, out var quantity))
                measured[name] = new Measured(quantity.MilliValue, Get(item, "timestamp") is string at && ApiTime.TryParse(at, out var time) ? time : DateTimeOffset.MinValue, TimeSpan.FromMinutes(1));
        }
        return measured.Count > 0 ? measured : throw new MetricException("FailedGetPodsMetric", $"there are no values of {metric.Name} for the Pods");
    }

    public async Task<long> ObjectAsync(string ns, CrossVersionObjectReference about, string plural, MetricIdentifier metric, CancellationToken ct)
    {
        // A namespace is measured at a path of its own.
        var path = about.Kind == "Namespace" ? $"{Custom}{Uri.EscapeDataString(about.Name)}/metrics/{Uri.EscapeDataString(metric.Name)}" : $"{Custom}{Uri.EscapeDataString(ns)}/{plural}/{Uri.EscapeDataString(about.Name)}/{Uri.EscapeDataString(metric.Name)}";
        var tree = await AskAsync("FailedGetObjectMetric", () => client.GetTreeAsync(path + Query(("metricLabelSelector", SelectorOf(metric))), ct));
        return Sum(tree, metric.Name, "FailedGetObjectMetric");
    }

    public async Task<long> ExternalAsync(string ns, MetricIdentifier metric, CancellationToken ct)
    {
        var path = $"/apis/external.metrics.k8s.io/v1beta1/namespaces/{Uri.EscapeDataString(ns)}/{Uri.EscapeDataString(metric.Name)}";
        var tree = await AskAsync("FailedGetExternalMetric", () => client.GetTreeAsync(path + Query(("labelSelector", SelectorOf(metric))), ct));
        return Sum(tree, metric.Name, "FailedGetExternalMetric");
    }

    private static async Task<T> AskAsync<T>(string reason, Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (ApiException e)
        {
            throw new MetricException(reason, $"the metrics API does not answer: {e.Message}");
        }
    }

    private static long Sum(object? tree, string metric, string reason)
    {
        var values = Items(tree).Select(i => Get(i, "value") as string).Where(v => Quantity.TryParse(v, out _)).Select(v => Quantity.Parse(v!).MilliValue).ToList();
        return values.Count > 0 ? values.Sum() : throw new MetricException(reason, $"there is no value of {metric}");
    }

    private static string SelectorOf(MetricIdentifier metric) => metric.Selector is null ? "" : Selector.From(metric.Selector).ToString() ?? "";

    private static string Query(params ReadOnlySpan<(string Name, string Value)> parts)
    {
        var text = "";
        foreach (var (name, value) in parts)
        {
            if (value.Length > 0) text += $"{(text.Length == 0 ? '?' : '&')}{name}={Uri.EscapeDataString(value)}";
        }
        return text;
    }

    private static object? Get(object? tree, string name) => tree is Dictionary<string, object?> map ? map.GetValueOrDefault(name) : null;

    private static List<object?> Items(object? tree) => Get(tree, "items") as List<object?> ?? [];
}
