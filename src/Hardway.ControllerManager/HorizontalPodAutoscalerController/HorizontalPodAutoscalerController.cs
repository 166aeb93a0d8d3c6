using Hardway.Api;
using Hardway.Api.Autoscaling.V2;
using Hardway.Api.Core.V1;
using Hardway.Client;
using Scale = Hardway.Api.Autoscaling.V1.Scale;

namespace Hardway.ControllerManager;

/// <summary>
/// Sizes what has a scale subresource so that its metrics meet their targets, every 15 s: Resource and ContainerResource from metrics.k8s.io, Pods and Object from
/// custom.metrics.k8s.io, External from external.metrics.k8s.io; behaviours bound how fast. Keys are autoscalers.
/// </summary>
internal sealed class HorizontalPodAutoscalerController : ClusterController
{
    private const string Account = "horizontal-pod-autoscaler";
    private readonly EventRecorder _events;
    private readonly Informer<HorizontalPodAutoscaler> _autoscalers;
    private readonly Informer<Pod> _pods;
    private readonly ControllerManagerOptions _options;
    private readonly ServedKinds _kinds;
    private readonly MetricsSource _source;
    private readonly ReplicaCalculator _calculator;
    private readonly Dictionary<string, ScalingRules> _rules = new(StringComparer.Ordinal);

    public HorizontalPodAutoscalerController(ControllerContext context) : base("horizontal-pod-autoscaler-controller", Account, context)
    {
        Workers = 1;
        _options = context.Options;
        _kinds = new ServedKinds(context.Root);
        _source = new MetricsSource(Client);
        _calculator = new ReplicaCalculator(_options.HpaCpuInitialization, _options.HpaInitialReadinessDelay);
        _events = EventsAs("horizontal-pod-autoscaler");
        _autoscalers = Watch<HorizontalPodAutoscaler>();
        _pods = Watch<Pod>().AddPodIndexes();
        _autoscalers.AddHandler(a => Queue.Add(KubeKey.Of(a)));
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
        if (!ApiStruct.DeepEquals(before, hpa.Status)) await Client.UpdateStatusAsync(hpa, cancellationToken);
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
        await Client.RequestAsync(HttpMethod.Put, resource.Path(hpa.Metadata.Namespace, hpa.Spec.ScaleTargetRef.Name, "scale"), ApiJson.Serialize(scale), "application/json", ct);
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
            var resource = await _kinds.FindAsync(target.ApiVersion, target.Kind, ct) ?? throw new MetricException("FailedGetScale", $"the server has no kind \"{target.Kind}\" in \"{target.ApiVersion}\"");
            return (resource, await Client.GetAsync<Scale>(resource, hpa.Metadata.Namespace, target.Name, ct, "scale"));
        }
        catch (ApiException e)
        {
            Set(hpa, "AbleToScale", "False", "FailedGetScale", $"the HPA controller was unable to get the target's current scale: {e.Message}");
            _events.Warning(hpa, "FailedGetScale", e.Message);
            return null;
        }
    }

    /// <summary>The most that any metric asks for. While one cannot be had, the others may only add.</summary>
    private async Task<int> RecommendAsync(HorizontalPodAutoscaler hpa, Scale scale, int current, CancellationToken ct)
    {
        var metrics = hpa.Spec.Metrics is { Count: > 0 } given ? given : [new MetricSpec { Type = "Resource", Resource = new ResourceMetricSource { Name = "cpu", Target = new MetricTarget { Type = "Utilization", AverageUtilization = 80 } } }];
        var selector = Selector.Parse(scale.Status.Selector);
        if (selector.IsEverything) throw new MetricException("InvalidSelector", "the target's scale has no selector");
        var pods = _pods.Store.List(hpa.Metadata.Namespace).Where(p => PodState.IsActive(p) && selector.Matches(p.Metadata.Labels)).ToList();
        var evaluation = new MetricEvaluation(_source, _calculator, hpa, pods, scale.Status.Selector, current, _options.HpaTolerance, Time.GetUtcNow());
        List<MetricStatus> statuses = [];
        int? best = null;
        MetricException? failed = null;
        foreach (var metric in metrics)
        {
            try
            {
                var (replicas, status) = await evaluation.EvaluateAsync(metric, ct);
                best = Math.Max(best ?? 0, replicas);
                statuses.Add(status);
            }
            catch (MetricException e)
            {
                failed ??= e;
            }
        }
        if (failed is not null && (best is null || best < current)) throw failed;
        hpa.Status.CurrentMetrics = statuses;
        Set(hpa, "ScalingActive", "True", "ValidMetricFound", "a replica count could be computed from the metrics");
        return best ?? current;
    }

    private void Set(HorizontalPodAutoscaler hpa, string type, string status, string reason, string message)
    {
        var conditions = hpa.Status.Conditions ??= [];
        var current = conditions.Find(c => c.Type == type);
        if (current is null) conditions.Add(current = new HorizontalPodAutoscalerCondition { Type = type });
        if (current.Status != status) current.LastTransitionTime = Time.GetUtcNow();
        (current.Status, current.Reason, current.Message) = (status, reason, message);
    }
}
