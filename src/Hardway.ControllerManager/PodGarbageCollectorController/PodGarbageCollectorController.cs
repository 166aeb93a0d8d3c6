using System.Text;
using System.Text.Json.Nodes;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;
using Microsoft.Extensions.Logging;

namespace Hardway.ControllerManager;

/// <summary>
/// Every 20 s removes Pods that nobody else will: ended ones beyond the threshold (oldest first), those on nodes that are gone for 40 s, those that
/// were deleted before they had a node, and terminating ones on nodes with the out-of-service taint. One key: "all".
/// </summary>
internal sealed partial class PodGarbageCollectorController : ClusterController
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan _quarantine = TimeSpan.FromSeconds(40);
    private readonly Informer<Pod> _pods;
    private readonly Informer<Node> _nodes;
    private readonly int _threshold;
    private readonly Dictionary<string, long> _missingSince = new(StringComparer.Ordinal);

    public PodGarbageCollectorController(ControllerContext context) : base("pod-garbage-collector-controller", "pod-garbage-collector", context)
    {
        Workers = 1;
        _threshold = context.Options.TerminatedPodGCThreshold;
        _pods = Watch<Pod>().AddPodIndexes();
        _nodes = Watch<Node>();
        Queue.Add("all");
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        Queue.AddAfter(key, _period);
        var pods = _pods.Store.List();
        if (_threshold > 0)
        {
            var ended = pods.Where(p => PodState.IsFinished(p) && !PodState.IsTerminating(p)).OrderBy(p => p.Metadata.CreationTimestamp).ToList();
            foreach (var pod in ended.Take(Math.Max(0, ended.Count - _threshold))) await DeleteAsync(pod, null, cancellationToken);
        }
        foreach (var pod in pods.Where(p => p.Spec.NodeName.Length == 0 && PodState.IsTerminating(p))) await DeleteAsync(pod, null, cancellationToken);
        foreach (var pod in pods.Where(p => PodState.IsTerminating(p) && IsOutOfService(p))) await DeleteAsync(pod, "DeletionByPodGC", cancellationToken);
        await DeleteOrphansAsync(pods, cancellationToken);
    }

    private async Task DeleteOrphansAsync(Pod[] pods, CancellationToken ct)
    {
        var missing = pods.Where(p => p.Spec.NodeName.Length > 0 && _nodes.Store.Get(p.Spec.NodeName) is null).ToLookup(p => p.Spec.NodeName, StringComparer.Ordinal);
        foreach (var back in _missingSince.Keys.Where(n => !missing.Contains(n)).ToList()) _missingSince.Remove(back);
        foreach (var group in missing)
        {
            if (!_missingSince.TryGetValue(group.Key, out var since))
            {
                _missingSince[group.Key] = Time.GetTimestamp();
                continue;
            }
            if (Time.GetElapsedTime(since) < _quarantine || await Client.TryGetAsync<Node>(null, group.Key, ct) is not null) continue;
            foreach (var pod in group) await DeleteAsync(pod, "DeletionByPodGC", ct);
        }
    }

    private async Task DeleteAsync(Pod pod, string? reason, CancellationToken ct)
    {
        LogDeleting(Log, KubeKey.Of(pod));
        if (!PodState.IsFinished(pod)) await MarkFailedAsync(pod, reason, ct);
        await Client.DeleteAsync<Pod>(pod.Metadata.Namespace, pod.Metadata.Name, new DeleteOptions { GracePeriodSeconds = 0, Preconditions = new Preconditions { Uid = pod.Metadata.Uid } }, ct);
    }

    private async Task MarkFailedAsync(Pod pod, string? reason, CancellationToken ct)
    {
        var status = new JsonObject { ["phase"] = "Failed" };
        if (reason is not null)
        {
            status["conditions"] = new JsonArray(new JsonObject
            {
                ["type"] = "DisruptionTarget", ["status"] = "True", ["reason"] = reason, ["message"] = "PodGC: node no longer exists",
                ["lastTransitionTime"] = ApiTime.Format(Time.GetUtcNow()),
            });
        }
        try
        {
            await Client.PatchAsync<Pod>(pod.Metadata.Namespace, pod.Metadata.Name, PatchType.StrategicMerge, Encoding.UTF8.GetBytes(new JsonObject { ["status"] = status }.ToJsonString()), ct, "status");
        }
        catch (ApiException e) when (e.IsNotFound)
        {
        }
    }

    private bool IsOutOfService(Pod pod) =>
        pod.Spec.NodeName.Length > 0 && _nodes.Store.Get(pod.Spec.NodeName) is { } node && (node.Spec.Taints ?? []).Exists(t => t.Key == "node.kubernetes.io/out-of-service")
        && !(node.Status.Conditions ?? []).Exists(c => c is { Type: "Ready", Status: "True" });

    [LoggerMessage(Level = LogLevel.Information, Message = "removing Pod {Key}")]
    private static partial void LogDeleting(ILogger logger, string key);
}
