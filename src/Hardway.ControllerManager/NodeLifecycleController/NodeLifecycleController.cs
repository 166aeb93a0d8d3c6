using System.Text;
using System.Text.Json.Nodes;
using Hardway.Api;
using Hardway.Api.Coordination.V1;
using Hardway.Api.Core.V1;
using Hardway.Client;
using Microsoft.Extensions.Logging;

namespace Hardway.ControllerManager;

/// <summary>
/// Judges nodes by their signs of life:
/// <code>
/// every 5 s: a node silent for the grace period → conditions Unknown; a node that stopped being ready → its Pods are not ready
/// for each node: NoSchedule taints as its conditions say; the NoExecute taint not-ready or unreachable, as fast as its zone allows
///                (<see cref="EvictionZones"/>; the taint evicts Pods, see <see cref="TaintEvictionController"/>)
/// </code>
/// Keys are node names.
/// </summary>
internal sealed partial class NodeLifecycleController : ClusterController
{
    private const string Account = "node-controller";
    private readonly EventRecorder _events;
    private readonly Informer<Node> _nodes;
    private readonly Informer<Lease> _leases;
    private readonly Informer<Pod> _pods;
    private readonly ControllerManagerOptions _options;
    private readonly NodeHealth _health;
    private readonly EvictionZones _zones;

    public NodeLifecycleController(ControllerContext context) : base("node-lifecycle-controller", Account, context)
    {
        Workers = 1;
        _options = context.Options;
        _events = EventsAs("node-controller");
        _health = new NodeHealth(context.Time);
        _zones = new EvictionZones(context.Time, context.Options);
        _nodes = Watch<Node>();
        _leases = Watch<Lease>();
        _pods = Watch<Pod>().AddPodIndexes();
        _nodes.AddHandler(n => Queue.Add(n.Metadata.Name));
    }

    public override Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(base.RunAsync(cancellationToken), MonitorAsync(cancellationToken));

    /// <summary>Taints of one node.</summary>
    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_nodes.Store.Get(key) is not { } node) return;
        var evicting = NodeTaints.Evicting(node);
        var current = NodeTaints.CurrentEvicting(node);
        if (evicting is not null && !_zones.MayEvict(node, _nodes.Store.List(), current is null, out var wait))
        {
            evicting = null;
            if (wait > TimeSpan.Zero) Queue.AddAfter(key, wait);
        }
        var wanted = NodeTaints.Wanted(node, evicting, Time.GetUtcNow());
        if (SameTaints(wanted, node.Spec.Taints ?? [])) return;
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["resourceVersion"] = node.Metadata.ResourceVersion },
            ["spec"] = new JsonObject { ["taints"] = new JsonArray([.. wanted.Select(t => JsonNode.Parse(ApiJson.Serialize(t)))]) },
        };
        await Client.PatchAsync<Node>(null, key, PatchType.Merge, Encoding.UTF8.GetBytes(patch.ToJsonString()), cancellationToken);
        if (evicting is not null && current is null) LogEvicting(Log, key, evicting);
    }

    private async Task MonitorAsync(CancellationToken ct)
    {
        await _nodes.WaitForSyncAsync(ct);
        await _leases.WaitForSyncAsync(ct);
        await _pods.WaitForSyncAsync(ct);
        while (true)
        {
            var nodes = _nodes.Store.List();
            _health.Keep([.. nodes.Select(n => n.Metadata.Name)]);
            foreach (var node in nodes)
            {
                try { await MonitorOneAsync(node, ct); }
                catch (Exception e) when (e is ApiException or HttpRequestException or IOException) { LogFailed(Log, node.Metadata.Name, e.Message); }
            }
            await Task.Delay(_options.NodeMonitorPeriod, Time, ct);
        }
    }

    private async Task MonitorOneAsync(Node node, CancellationToken ct)
    {
        var silent = _health.Observe(node, _leases.Store.Get("kube-node-lease", node.Metadata.Name));
        var ready = NodeHealth.Ready(node);
        var grace = ready is null ? _options.NodeStartupGracePeriod : _options.NodeMonitorGracePeriod;
        var status = ready?.Status ?? "";
        if (silent > grace && status != "Unknown")
        {
            LogSilent(Log, node.Metadata.Name, silent);
            await MarkUnknownAsync(node, ct);
            status = "Unknown";
        }
        if (status is "False" or "Unknown") await MarkPodsNotReadyAsync(node, ct);
    }

    private async Task MarkUnknownAsync(Node node, CancellationToken ct)
    {
        var changed = node.Clone();
        var now = Time.GetUtcNow();
        foreach (var type in (ReadOnlySpan<string>)["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"]) SetUnknown(changed, type, now);
        await Client.UpdateStatusAsync(changed, ct);
        _events.Normal(node, "NodeNotReady", $"Node {node.Metadata.Name} status is now: NodeNotReady");
    }

    private static void SetUnknown(Node node, string type, DateTimeOffset now)
    {
        var conditions = node.Status.Conditions ??= [];
        var condition = conditions.Find(c => c.Type == type);
        if (condition is null)
        {
            conditions.Add(new NodeCondition { Type = type, Status = "Unknown", Reason = "NodeStatusNeverUpdated", Message = "Kubelet never posted node status.", LastHeartbeatTime = node.Metadata.CreationTimestamp, LastTransitionTime = now });
            return;
        }
        if (condition.Status == "Unknown") return;
        (condition.Status, condition.Reason, condition.Message, condition.LastTransitionTime) = ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", now);
    }

    /// <summary>Endpoints must not lead to a node that does not answer. Level-triggered: a Pod that is not marked yet is marked at the next look.</summary>
    private async Task MarkPodsNotReadyAsync(Node node, CancellationToken ct)
    {
        foreach (var pod in _pods.OnNode(node.Metadata.Name).Where(PodState.IsReady))
        {
            var condition = new JsonObject { ["type"] = "Ready", ["status"] = "False", ["reason"] = "NodeNotReady", ["lastTransitionTime"] = ApiTime.Format(Time.GetUtcNow()) };
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid }, ["status"] = new JsonObject { ["conditions"] = new JsonArray(condition) } };
            try
            {
                await Client.PatchAsync<Pod>(pod.Metadata.Namespace, pod.Metadata.Name, PatchType.StrategicMerge, Encoding.UTF8.GetBytes(patch.ToJsonString()), ct, "status");
                _events.Warning(pod, "NodeNotReady", "Node is not ready");
            }
            catch (ApiException e) when (e.IsNotFound || e.IsConflict)
            {
            }
        }
    }

    private static bool SameTaints(List<Taint> a, List<Taint> b) => a.Count == b.Count && a.All(x => b.Exists(y => x.Key == y.Key && x.Effect == y.Effect && x.Value == y.Value));

    [LoggerMessage(Level = LogLevel.Warning, Message = "node {Node} was not heard of for {Silent}")]
    private static partial void LogSilent(ILogger logger, string node, TimeSpan silent);

    [LoggerMessage(Level = LogLevel.Information, Message = "node {Node} is tainted {Taint}: its Pods will be evicted")]
    private static partial void LogEvicting(ILogger logger, string node, string taint);

    [LoggerMessage(Level = LogLevel.Warning, Message = "node {Node}: {Reason}")]
    private static partial void LogFailed(ILogger logger, string node, string reason);
}
