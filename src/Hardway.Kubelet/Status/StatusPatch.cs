using Hardway.Api;
using Hardway.Api.Core.V1;

namespace Hardway.Kubelet.Status;

/// <summary>
/// The strategic merge patch that turns the status the API has into the one the kubelet wants: only what differs, null for what
/// goes. Conditions are merged by type, so those of others are never touched. Pure.
/// </summary>
internal static class StatusPatch
{
    /// <summary>Fields that others write into a Pod's status.</summary>
    private static readonly string[] NotOurs = ["nominatedNodeName", "resize", "resourceClaimStatuses", "extendedResourceClaimStatus", "nodeAllocatableResourceClaimStatuses", "allocatedResources", "resources"];

    /// <summary>Null: nothing differs.</summary>
    public static byte[]? Create(string uid, PodStatus api, PodStatus wanted)
    {
        var from = ApiJson.ToTree(api);
        var to = ApiJson.ToTree(wanted);
        foreach (var field in NotOurs)
        {
            from.Remove(field);
            to.Remove(field);
        }
        var changes = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (field, value) in to)
        {
            if (field is "conditions")
                Conditions(changes, from.GetValueOrDefault(field), value);
            else if (!ApiValues.TreesEqual(from.GetValueOrDefault(field), value))
                changes[field] = field is "podIPs" or "hostIPs" && from.ContainsKey(field) ? Replaced(value) : value;
        }
        foreach (var field in from.Keys.Where(f => !to.ContainsKey(f) && f != "conditions"))
            changes[field] = null;
        if (changes.Count == 0)
            return null;
        return ApiJson.SerializeTree(new Dictionary<string, object?> { ["metadata"] = new Dictionary<string, object?> { ["uid"] = uid }, ["status"] = changes });
    }

    private static void Conditions(Dictionary<string, object?> changes, object? from, object? to)
    {
        var before = List(from).ToDictionary(Type, StringComparer.Ordinal);
        var changed = new List<object?>();
        foreach (var condition in List(to).Where(IsOurs))
        {
            if (before.TryGetValue(Type(condition), out var old) && ApiValues.TreesEqual(old, condition))
                continue;
            var full = new Dictionary<string, object?>(condition, StringComparer.Ordinal);
            foreach (var field in old?.Keys.ToArray() ?? [])
                full.TryAdd(field, null);
            changed.Add(full);
        }
        var wanted = List(to).Select(Type).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in PodConditions.Passing.Where(t => before.ContainsKey(t) && !wanted.Contains(t)))
            changed.Add(new Dictionary<string, object?> { ["type"] = gone, ["$patch"] = "delete" });
        if (changed.Count > 0)
            changes["conditions"] = changed;
    }

    /// <summary>The condition of a disruption is written by whoever disrupts.</summary>
    private static bool IsOurs(Dictionary<string, object?> condition) =>
        PodConditions.Owned.Contains(Type(condition)) || PodConditions.Passing.Contains(Type(condition)) || condition.GetValueOrDefault("reason") as string == PodConditions.ByKubelet;

    private static List<object?> Replaced(object? list) => [new Dictionary<string, object?> { ["$patch"] = "replace" }, .. (List<object?>)list!];

    private static IEnumerable<Dictionary<string, object?>> List(object? tree) => (tree as List<object?> ?? []).OfType<Dictionary<string, object?>>();

    private static string Type(Dictionary<string, object?> condition) => condition.GetValueOrDefault("type") as string ?? "";
}
