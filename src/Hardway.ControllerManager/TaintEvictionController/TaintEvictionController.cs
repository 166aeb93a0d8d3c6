using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Client;
using Microsoft.Extensions.Logging;

namespace Hardway.ControllerManager;

/// <summary>
/// Deletes Pods from nodes whose NoExecute taints they do not bear, or no longer: a toleration with tolerationSeconds counts from the taint's own
/// timeAdded, so that a new leader does not start the wait anew. Keys are Pods.
/// </summary>
internal sealed partial class TaintEvictionController : ClusterController
{
    private const string Account = "node-controller";
    private readonly EventRecorder _events;
    private readonly Informer<Pod> _pods;
    private readonly Informer<Node> _nodes;

    public TaintEvictionController(ControllerContext context) : base("taint-eviction-controller", Account, context)
    {
        _events = EventsAs("taint-eviction-controller");
        _pods = Watch<Pod>().AddPodIndexes();
        _nodes = Watch<Node>();
        _pods.AddHandler(PodChanged, (old, now) => { if (old.Spec.NodeName != now.Spec.NodeName || (old.Spec.Tolerations?.Count ?? 0) != (now.Spec.Tolerations?.Count ?? 0)) PodChanged(now); });
        _nodes.AddHandler(NodeChanged, (_, n) => NodeChanged(n));
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_pods.Store.Get(key) is not { Spec.NodeName.Length: > 0 } pod || PodState.IsTerminating(pod) || PodState.IsFinished(pod)) return;
        var taints = (_nodes.Store.Get(pod.Spec.NodeName)?.Spec.Taints ?? []).Where(t => t.Effect == "NoExecute").ToList();
        if (EvictAt(pod, taints, Time.GetUtcNow()) is not { } at) return;
        var wait = at - Time.GetUtcNow();
        if (wait > TimeSpan.Zero)
        {
            Queue.AddAfter(key, wait);
            return;
        }
        LogEvicting(Log, key);
        _events.Normal(pod, "TaintManagerEviction", $"Marking for deletion Pod {key}");
        await PodControl.EvictAsync(Client, pod, "DeletionByTaintManager", "the node has a NoExecute taint that the Pod does not bear", Time.GetUtcNow(), cancellationToken);
    }

    /// <summary>When the Pod must go: now for a taint it does not bear, later for one it bears for a while, never (null) otherwise.</summary>
    internal static DateTimeOffset? EvictAt(Pod pod, IReadOnlyCollection<Taint> taints, DateTimeOffset now)
    {
        DateTimeOffset? earliest = null;
        foreach (var taint in taints)
        {
            var bearing = (pod.Spec.Tolerations ?? []).Where(t => Tolerations.Tolerates(t, taint)).ToList();
            if (bearing.Count == 0) return now;
            if (bearing.Where(t => t.TolerationSeconds is not null).Min(t => t.TolerationSeconds) is not { } seconds) continue;
            var at = (taint.TimeAdded ?? now).AddSeconds(Math.Max(0, seconds));
            if (earliest is null || at < earliest) earliest = at;
        }
        return earliest;
    }

    private void PodChanged(Pod pod)
    {
        if (pod.Spec.NodeName.Length > 0 && (_nodes.Store.Get(pod.Spec.NodeName)?.Spec.Taints ?? []).Exists(t => t.Effect == "NoExecute")) Queue.Add(KubeKey.Of(pod));
    }

    private void NodeChanged(Node node)
    {
        if (!(node.Spec.Taints ?? []).Exists(t => t.Effect == "NoExecute")) return;
        foreach (var pod in _pods.OnNode(node.Metadata.Name)) Queue.Add(KubeKey.Of(pod));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "evicting Pod {Key}: its node has a NoExecute taint that it does not bear any longer")]
    private static partial void LogEvicting(ILogger logger, string key);
}
