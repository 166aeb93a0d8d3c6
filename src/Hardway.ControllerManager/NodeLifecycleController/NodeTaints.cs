using Hardway.Api.Core.V1;

namespace Hardway.ControllerManager;

/// <summary>The taints that follow from a node's conditions: pure.</summary>
internal static class NodeTaints
{
    public const string NotReady = "node.kubernetes.io/not-ready";
    public const string Unreachable = "node.kubernetes.io/unreachable";
    private const string Unschedulable = "node.kubernetes.io/unschedulable";
    private const string NoSchedule = "NoSchedule";
    private const string NoExecute = "NoExecute";

    private static readonly (string Condition, string Status, string Taint)[] _byCondition =
    [
        ("Ready", "False", NotReady),
        ("Ready", "Unknown", Unreachable),
        ("MemoryPressure", "True", "node.kubernetes.io/memory-pressure"),
        ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
        ("NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"),
        ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
    ];

    /// <summary>The key of the NoExecute taint the node should have, or null.</summary>
    public static string? Evicting(Node node) => NodeHealth.Ready(node)?.Status switch { "False" => NotReady, "Unknown" => Unreachable, _ => null };

    public static string? CurrentEvicting(Node node) => (node.Spec.Taints ?? []).Find(t => t.Effect == NoExecute && t.Key is NotReady or Unreachable)?.Key;

    /// <summary>The node's taints with ours as they should be; others stay. <paramref name="evicting"/>: the NoExecute taint to have.</summary>
    public static List<Taint> Wanted(Node node, string? evicting, DateTimeOffset now)
    {
        var old = node.Spec.Taints ?? [];
        var wanted = _byCondition.Where(r => (node.Status.Conditions ?? []).Exists(c => c.Type == r.Condition && c.Status == r.Status)).Select(r => (r.Taint, Effect: NoSchedule)).ToList();
        if (NodeHealth.Ready(node) is null) wanted.Add((NotReady, NoSchedule));
        if (node.Spec.Unschedulable) wanted.Add((Unschedulable, NoSchedule));
        if (evicting is not null) wanted.Add((evicting, NoExecute));
        var result = old.Where(t => !IsOurs(t) || wanted.Contains((t.Key, t.Effect))).ToList();
        foreach (var (key, effect) in wanted.Where(w => !old.Exists(t => t.Key == w.Taint && t.Effect == w.Effect))) result.Add(new Taint { Key = key, Effect = effect, TimeAdded = now });
        return result;
    }

    private static bool IsOurs(Taint taint) => taint.Effect switch
    {
        NoSchedule => taint.Key == Unschedulable || Array.Exists(_byCondition, r => r.Taint == taint.Key),
        NoExecute => taint.Key is NotReady or Unreachable,
        _ => false,
    };
}
