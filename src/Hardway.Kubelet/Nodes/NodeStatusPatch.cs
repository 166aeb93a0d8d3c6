using Hardway.Api;
using Hardway.Api.Core.V1;

namespace Hardway.Kubelet.Nodes;

/// <summary>The strategic merge patch for a node's status: what differs; heartbeat times alone only when a report is due. Pure.</summary>
internal static class NodeStatusPatch
{
    private static readonly string[] Ours = ["capacity", "allocatable", "addresses", "daemonEndpoints", "nodeInfo", "images", "runtimeHandlers", "features"];

    public static byte[]? Create(NodeStatus api, NodeStatus wanted, bool due)
    {
        var from = ApiJson.ToTree(api);
        var to = ApiJson.ToTree(wanted);
        var changes = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var field in Ours)
        {
            var (before, now) = (from.GetValueOrDefault(field), to.GetValueOrDefault(field));
            if (now != null && !ApiValues.TreesEqual(before, now))
                changes[field] = field == "addresses" && before != null ? Replaced(now) : now;
        }
        if (!ApiValues.TreesEqual(from.GetValueOrDefault("volumesInUse"), to.GetValueOrDefault("volumesInUse")))
            changes["volumesInUse"] = to.GetValueOrDefault("volumesInUse");
        var conditions = wanted.Conditions ?? [];
        if (due || conditions.Any(c => Differs(api.Conditions?.FirstOrDefault(o => o.Type == c.Type), c)))
            changes["conditions"] = to["conditions"];
        return changes.Count == 0 ? null : ApiJson.SerializeTree(new Dictionary<string, object?> { ["status"] = changes });
    }

    private static bool Differs(NodeCondition? old, NodeCondition now) => old == null || old.Status != now.Status || old.Reason != now.Reason || old.Message != now.Message;

    private static List<object?> Replaced(object list) => [new Dictionary<string, object?> { ["$patch"] = "replace" }, .. (List<object?>)list];
}
