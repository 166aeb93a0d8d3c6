using Hardway.Api;
using Hardway.Api.Autoscaling.V2;
using Hardway.Api.Core.V1;

namespace Hardway.ControllerManager;

/// <summary>One look at an autoscaler's metrics: each gives a number of replicas and a line for the status.</summary>
internal sealed class MetricEvaluation(MetricsSource source, ReplicaCalculator calculator, HorizontalPodAutoscaler hpa, List<Pod> pods, string selector, int current, double tolerance, DateTimeOffset now)
{
    private readonly Tolerance _tolerance = new(Part(hpa.Spec.Behavior?.ScaleUp, tolerance), Part(hpa.Spec.Behavior?.ScaleDown, tolerance));

    public Task<(int Replicas, MetricStatus Status)> EvaluateAsync(MetricSpec metric, CancellationToken ct) => metric switch
    {
        { Type: "Resource", Resource: { } r } => ResourceAsync(r.Name, r.Target, null, ct),
        { Type: "ContainerResource", ContainerResource: { } c } => ResourceAsync(c.Name, c.Target, c.Container, ct),
        { Type: "Pods", Pods: { } p } => PodsAsync(p, ct),
        { Type: "Object", Object: { } o } => ObjectAsync(o, ct),
        { Type: "External", External: { } e } => ExternalAsync(e, ct),
        _ => throw new MetricException("InvalidMetricSourceType", $"unknown type of metric \"{metric.Type}\""),
    };

    private async Task<(int, MetricStatus)> ResourceAsync(string resource, MetricTarget target, string? container, CancellationToken ct)
    {
        var measured = await source.ResourceAsync(hpa.Metadata.Namespace, selector, resource, container, ct);
        var value = new MetricValueStatus();
        int replicas;
        if (target.AverageValue is { } average)
        {
            (replicas, var found) = calculator.ForAverage(current, average.MilliValue, resource, pods, measured, _tolerance, now);
            value.AverageValue = Milli(found);
        }
        else
        {
            var wanted = target.AverageUtilization ?? throw new MetricException("FailedGetResourceMetric", $"the metric {resource} has no target");
            (replicas, var utilization, var found) = calculator.ForUtilization(current, wanted, resource, pods, measured, p => Asked(p, resource, container), _tolerance, now);
            (value.AverageUtilization, value.AverageValue) = (utilization, Milli(found));
        }
        return (replicas, container is null
            ? new MetricStatus { Type = "Resource", Resource = new ResourceMetricStatus { Name = resource, Current = value } }
            : new MetricStatus { Type = "ContainerResource", ContainerResource = new ContainerResourceMetricStatus { Name = resource, Container = container, Current = value } });
    }

    private static long Asked(Pod pod, string resource, string? container)
    {
        var total = 0L;
        var containers = (pod.Spec.Containers ?? []).Concat((pod.Spec.InitContainers ?? []).Where(c => c.RestartPolicy == "Always"));
        foreach (var one in containers.Where(c => container is null || c.Name == container))
        {
            if (one.Resources.Requests is not { } requests || !requests.TryGetValue(resource, out var quantity)) throw new MetricException("FailedGetResourceMetric", $"missing request for {resource} in container {one.Name} of Pod {pod.Metadata.Name}");
            total += quantity.MilliValue;
        }
        return total;
    }

    private async Task<(int, MetricStatus)> PodsAsync(PodsMetricSource metric, CancellationToken ct)
    {
        var measured = await source.PodsAsync(hpa.Metadata.Namespace, selector, metric.Metric, ct);
        var target = metric.Target.AverageValue ?? throw new MetricException("FailedGetPodsMetric", $"the metric {metric.Metric.Name} has no averageValue");
        var (replicas, found) = calculator.ForAverage(current, target.MilliValue, "", pods, measured, _tolerance, now);
        return (replicas, new MetricStatus { Type = "Pods", Pods = new PodsMetricStatus { Metric = metric.Metric, Current = new MetricValueStatus { AverageValue = Milli(found) } } });
    }

    private async Task<(int, MetricStatus)> ObjectAsync(ObjectMetricSource metric, CancellationToken ct)
    {
        var about = metric.DescribedObject;
        var slash = about.ApiVersion.IndexOf('/', StringComparison.Ordinal);
        var (group, version) = slash < 0 ? ("", about.ApiVersion) : (about.ApiVersion[..slash], about.ApiVersion[(slash + 1)..]);
        var plural = ApiCatalog.FindKind(group, version, about.Kind)?.Plural ?? about.Kind.ToLowerInvariant() + "s";
        var value = await source.ObjectAsync(hpa.Metadata.Namespace, about, group.Length == 0 ? plural : $"{plural}.{group}", metric.Metric, ct);
        var (replicas, found) = Single(value, metric.Target, "FailedGetObjectMetric");
        return (replicas, new MetricStatus { Type = "Object", Object = new ObjectMetricStatus { DescribedObject = about, Metric = metric.Metric, Current = found } });
    }

    private async Task<(int, MetricStatus)> ExternalAsync(ExternalMetricSource metric, CancellationToken ct)
    {
        var (replicas, found) = Single(await source.ExternalAsync(hpa.Metadata.Namespace, metric.Metric, ct), metric.Target, "FailedGetExternalMetric");
        return (replicas, new MetricStatus { Type = "External", External = new ExternalMetricStatus { Metric = metric.Metric, Current = found } });
    }

    private (int Replicas, MetricValueStatus Found) Single(long value, MetricTarget target, string reason)
    {
        if (target.AverageValue is { } average) return (ReplicaCalculator.ForShare(current, value, average.MilliValue, _tolerance), new MetricValueStatus { AverageValue = Milli(value / Math.Max(1, current)) });
        if (target.Value is not { } wanted) throw new MetricException(reason, "the metric has neither value nor averageValue as its target");
        return (ReplicaCalculator.ForValue(current, value, wanted.MilliValue, pods.Count(p => PodState.IsReady(p)), _tolerance), new MetricValueStatus { Value = Milli(value) });
    }

    private static double Part(HPAScalingRules? rules, double otherwise) => rules?.Tolerance is { } own ? own.MilliValue / 1000.0 : otherwise;

    private static Quantity Milli(long value) => Quantity.Parse(value % 1000 == 0 ? $"{value / 1000}" : $"{value}m");
}
