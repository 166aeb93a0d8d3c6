using Hardway.Api;
using Hardway.Api.Autoscaling.V2;
using Hardway.Api.Core.V1;
using Hardway.Client;
using Scale = Hardway.Api.Autoscaling.V1.Scale;

namespace Hardway.ControllerManager;

/// <summary>
/// Sizes what has a scale subresource so that its Pods' use of CPU or memory meets the target: every 15 s, from metrics.k8s.io. Pods without metrics count as
/// idle when growing and as on target when shrinking, Pods that are not ready do not count when growing. Metrics of type Resource and ContainerResource;
/// others are reported in the condition ScalingActive. Keys are autoscalers.
/// </summary>
internal sealed class HorizontalPodAutoscalerController : Controller
{
    private const string Account = "horizontal-pod-autoscaler";
    private readonly KubeClient _client;
    private readonly EventRecorder _events;
    private readonly Informer<HorizontalPodAutoscaler> _autoscalers;
    private readonly Informer<Pod> _pods;
    private readonly ControllerManagerOptions _options;
    private readonly Dictionary<string, ScalingRules> _rules = new(StringComparer.Ordinal);

    public HorizontalPodAutoscalerController(ControllerContext context)
        : base("horizontal-pod-autoscaler-controller", context.Logs, context.Time, context.Metrics)
    {
        Workers = 1;
        _options = context.Options;
        _client = context.ClientFor(Account);
        _events = context.EventsFor("horizontal-pod-autoscaler", Account);
        _autoscalers = Needs(context.Informers.Get<HorizontalPodAutoscaler>());
        _pods = Needs(context.Informers.Get<Pod>().AddPodIndexes());
        _autoscalers.AddHandler(a => Queue.Add(KubeKey.Of(a)));
    }

    /// <summary>The metrics could not be had or make no sense: a reason and a message for the condition.</summary>
    private sealed class MetricException(string reason, string message) : Exception(message)
    {
        public string Reason { get; } = reason;
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_autoscalers.Store.Get(key)?.Clone() is not { } hpa)
        {
            _rules.Remove(key);
            return;
        }
        Queue.AddAfter(key, _options.HpaSyncPeriod);
        var before = hpa.Status.Clone();
        try
        {
            await ScaleAsync(key, hpa, cancellationToken);
        }
        catch (MetricException e)
        {
            Set(hpa, "ScalingActive", "False", e.Reason, $"the HPA was unable to compute the replica count: {e.Message}");
            _events.Warning(hpa, e.Reason, e.Message);
        }
        hpa.Status.ObservedGeneration = hpa.Metadata.Generation;
        if (!ApiStruct.DeepEquals(before, hpa.Status)) await _client.UpdateStatusAsync(hpa, cancellationToken);
    }

    private async Task ScaleAsync(string key, HorizontalPodAutoscaler hpa, CancellationToken ct)
    {
        if (await GetScaleAsync(hpa, ct) is not var (resource, scale)) return;
        Set(hpa, "AbleToScale", "True", "SucceededGetScale", "the HPA controller was able to get the target's current scale");
        var current = scale.Spec.Replicas;
        hpa.Status.CurrentReplicas = scale.Status.Replicas;
        if (current == 0)
        {
            hpa.Status.DesiredReplicas = 0;
            Set(hpa, "ScalingActive", "False", "ScalingDisabled", "scaling is disabled since the replica count of the target is zero");
            return;
        }
        var recommended = current > hpa.Spec.MaxReplicas ? hpa.Spec.MaxReplicas : current < (hpa.Spec.MinReplicas ?? 1) ? hpa.Spec.MinReplicas ?? 1 : await RecommendAsync(hpa, scale, current, ct);
        if (!_rules.TryGetValue(key, out var rules)) _rules[key] = rules = new ScalingRules(_options.HpaDownscaleStabilization);
        var (wanted, reason, message) = rules.Apply(hpa, current, recommended, Time.GetUtcNow());
        Set(hpa, "ScalingLimited", reason == "DesiredWithinRange" ? "False" : "True", reason, message);
        hpa.Status.DesiredReplicas = wanted;
        if (wanted == current) return;
        scale.Spec.Replicas = wanted;
        await _client.RequestAsync(HttpMethod.Put, resource.Path(hpa.Metadata.Namespace, hpa.Spec.ScaleTargetRef.Name, "scale"), ApiJson.Serialize(scale), "application/json", ct);
        rules.Changed(wanted - current, Time.GetUtcNow());
        hpa.Status.LastScaleTime = Time.GetUtcNow();
        Set(hpa, "AbleToScale", "True", "SucceededRescale", $"the HPA controller was able to update the target scale to {wanted}");
        _events.Normal(hpa, "SuccessfulRescale", $"New size: {wanted}; reason: {(wanted > current ? "resource utilization above target" : "All metrics below target")}");
    }

    private async Task<(ApiResource Resource, Scale Scale)?> GetScaleAsync(HorizontalPodAutoscaler hpa, CancellationToken ct)
    {
        var target = hpa.Spec.ScaleTargetRef;
        try
        {
            var slash = target.ApiVersion.IndexOf('/', StringComparison.Ordinal);
            var (group, version) = slash < 0 ? ("", target.ApiVersion) : (target.ApiVersion[..slash], target.ApiVersion[(slash + 1)..]);
            var resource = ApiCatalog.FindKind(group, version, target.Kind) is { } info ? ApiResource.From(info)
                : (await Discovery.PreferredAsync(_client, ct)).Resources.FirstOrDefault(r => r.Resource.Group == group && r.Resource.Kind == target.Kind)?.Resource
                ?? throw new MetricException("FailedGetScale", $"no matches for kind \"{target.Kind}\" in group \"{group}\"");
            return (resource, await _client.GetAsync<Scale>(resource, hpa.Metadata.Namespace, target.Name, ct, "scale"));
        }
        catch (ApiException e)
        {
            Set(hpa, "AbleToScale", "False", "FailedGetScale", $"the HPA controller was unable to get the target's current scale: {e.Message}");
            _events.Warning(hpa, "FailedGetScale", e.Message);
            return null;
        }
    }

    private async Task<int> RecommendAsync(HorizontalPodAutoscaler hpa, Scale scale, int current, CancellationToken ct)
    {
        var metrics = hpa.Spec.Metrics is { Count: > 0 } given ? given : [new MetricSpec { Type = "Resource", Resource = new ResourceMetricSource { Name = "cpu", Target = new MetricTarget { Type = "Utilization", AverageUtilization = 80 } } }];
        var selector = Selector.Parse(scale.Status.Selector);
        var pods = _pods.Store.List(hpa.Metadata.Namespace).Where(p => PodState.IsActive(p) && selector.Matches(p.Metadata.Labels)).ToList();
        if (selector.IsEverything || pods.Count == 0) throw new MetricException("FailedGetResourceMetric", "unable to get metrics: no pods returned by selector while calculating replica count");
        var usage = await UsageAsync(hpa.Metadata.Namespace, scale.Status.Selector, ct);
        List<MetricStatus> statuses = [];
        var best = 0;
        foreach (var metric in metrics)
        {
            var (replicas, status) = metric switch
            {
                { Type: "Resource", Resource: { } r } => One(r.Name, r.Target, null, pods, usage, current),
                { Type: "ContainerResource", ContainerResource: { } c } => One(c.Name, c.Target, c.Container, pods, usage, current),
                _ => throw new MetricException("InvalidMetricSourceType", $"metrics of type {metric.Type} are not supported here"),
            };
            best = Math.Max(best, replicas);
            statuses.Add(status);
        }
        hpa.Status.CurrentMetrics = statuses;
        Set(hpa, "ScalingActive", "True", "ValidMetricFound", "the HPA was able to successfully calculate a replica count from resource metrics");
        return best;
    }

    private (int Replicas, MetricStatus Status) One(string resource, MetricTarget target, string? container, List<Pod> pods, Dictionary<string, Dictionary<(string Container, string Resource), long>> usage, int current)
    {
        long Use(Pod pod) => usage.TryGetValue(pod.Metadata.Name, out var all) ? all.Where(u => u.Key.Resource == resource && (container is null || u.Key.Container == container)).Sum(u => u.Value) : 0;
        long Ask(Pod pod) => (pod.Spec.Containers ?? []).Where(c => container is null || c.Name == container).Sum(c => c.Resources.Requests is { } requests && requests.TryGetValue(resource, out var q) ? q.MilliValue
            : target.Type == "Utilization" ? throw new MetricException("FailedGetResourceMetric", $"failed to get {resource} utilization: missing request for {resource} in container {c.Name} of Pod {pod.Metadata.Name}") : 0);
        var measured = pods.Where(p => usage.ContainsKey(p.Metadata.Name) && PodState.IsReady(p)).ToList();
        if (measured.Count == 0) throw new MetricException("FailedGetResourceMetric", $"unable to get metrics for resource {resource}: no metrics returned from resource metrics API");
        var used = measured.Sum(Use);
        var perPod = target.Type == "Utilization" ? measured.Sum(Ask) * (target.AverageUtilization ?? 80) / 100.0 / measured.Count : target.AverageValue?.MilliValue ?? 0;
        if (perPod <= 0) throw new MetricException("FailedGetResourceMetric", $"the target for {resource} is zero");
        var status = Describe(resource, target, container, used, measured, target.Type == "Utilization" ? measured.Sum(Ask) : 0);
        var ratio = used / (perPod * measured.Count);
        if (Math.Abs(ratio - 1) <= _options.HpaTolerance) return (current, status);
        // Those that were not measured: on target when shrinking, idle when growing; the change must not turn round by that.
        var others = pods.Count - measured.Count;
        var total = ratio < 1 ? used + (perPod * others) : used;
        var corrected = total / (perPod * pods.Count);
        if (Math.Abs(corrected - 1) <= _options.HpaTolerance || corrected > 1 != ratio > 1) return (current, status);
        return ((int)Math.Ceiling(corrected * pods.Count), status);
    }

    private static MetricStatus Describe(string resource, MetricTarget target, string? container, long used, List<Pod> measured, long asked)
    {
        var value = new MetricValueStatus { AverageValue = Quantity.Parse($"{used / measured.Count}m"), AverageUtilization = target.Type == "Utilization" && asked > 0 ? (int)(used * 100 / asked) : null };
        return container is null
            ? new MetricStatus { Type = "Resource", Resource = new ResourceMetricStatus { Name = resource, Current = value } }
            : new MetricStatus { Type = "ContainerResource", ContainerResource = new ContainerResourceMetricStatus { Name = resource, Container = container, Current = value } };
    }

    /// <summary>Milli-units by Pod, container and resource.</summary>
    private async Task<Dictionary<string, Dictionary<(string Container, string Resource), long>>> UsageAsync(string ns, string selector, CancellationToken ct)
    {
        object? tree;
        try
        {
            tree = await _client.GetTreeAsync($"/apis/metrics.k8s.io/v1beta1/namespaces/{Uri.EscapeDataString(ns)}/pods?labelSelector={Uri.EscapeDataString(selector)}", ct);
        }
        catch (ApiException e)
        {
            throw new MetricException("FailedGetResourceMetric", $"unable to fetch metrics from resource metrics API: {e.Message}");
        }
        Dictionary<string, Dictionary<(string, string), long>> usage = new(StringComparer.Ordinal);
        foreach (var pod in Items(tree, "items"))
        {
            Dictionary<(string, string), long> of = [];
            foreach (var container in Items(pod, "containers"))
            {
                foreach (var (resource, amount) in Get(container, "usage") as Dictionary<string, object?> ?? [])
                {
                    if (amount is string text) of[(Get(container, "name") as string ?? "", resource)] = Quantity.Parse(text).MilliValue;
                }
            }
            if (Get(Get(pod, "metadata"), "name") is string name) usage[name] = of;
        }
        return usage;
    }

    private static object? Get(object? tree, string name) => tree is Dictionary<string, object?> map ? map.GetValueOrDefault(name) : null;

    private static List<object?> Items(object? tree, string name) => Get(tree, name) as List<object?> ?? [];

    private void Set(HorizontalPodAutoscaler hpa, string type, string status, string reason, string message)
    {
        var conditions = hpa.Status.Conditions ??= [];
        var current = conditions.Find(c => c.Type == type);
        if (current is null) conditions.Add(current = new HorizontalPodAutoscalerCondition { Type = type });
        if (current.Status != status) current.LastTransitionTime = Time.GetUtcNow();
        (current.Status, current.Reason, current.Message) = (status, reason, message);
    }
}
