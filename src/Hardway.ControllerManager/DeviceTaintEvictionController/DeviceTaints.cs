using Hardway.Api.Resource.V1;
using DeviceTaintRule = Hardway.Api.Resource.V1Beta2.DeviceTaintRule;

namespace Hardway.ControllerManager;

/// <summary>Taints of devices, from ResourceSlices and DeviceTaintRules, and how long an allocation bears them: pure.</summary>
internal static class DeviceTaints
{
    /// <summary>The evicting taints of an allocated device.</summary>
    public static IEnumerable<DeviceTaint> Of(DeviceRequestAllocationResult result, IEnumerable<ResourceSlice> slices, IEnumerable<DeviceTaintRule> rules)
    {
        // Of a pool only the newest generation counts.
        var pool = slices.Where(s => s.Spec.Driver == result.Driver && s.Spec.Pool.Name == result.Pool).ToList();
        var newest = pool.Count == 0 ? 0 : pool.Max(s => s.Spec.Pool.Generation);
        foreach (var device in pool.Where(s => s.Spec.Pool.Generation == newest).SelectMany(s => s.Spec.Devices ?? []).Where(d => d.Name == result.Device))
        {
            foreach (var taint in (device.Taints ?? []).Where(t => t.Effect == "NoExecute")) yield return taint;
        }
        foreach (var rule in rules.Where(r => r.Spec.Taint.Effect == "NoExecute" && Selects(r, result)))
            yield return new DeviceTaint { Key = rule.Spec.Taint.Key, Value = rule.Spec.Taint.Value, Effect = rule.Spec.Taint.Effect, TimeAdded = rule.Spec.Taint.TimeAdded };
    }

    /// <summary>When who has the device must go: now, later (borne for a while), or never (null).</summary>
    public static DateTimeOffset? EvictAt(IEnumerable<DeviceTaint> taints, IReadOnlyCollection<DeviceToleration> tolerations, DateTimeOffset now)
    {
        DateTimeOffset? earliest = null;
        foreach (var taint in taints)
        {
            var bearing = tolerations.Where(t => Tolerates(t, taint)).ToList();
            if (bearing.Count == 0) return taint.TimeAdded is { } since && since > now ? since : now;
            // Of several that bear it the most generous counts only if none sets an end.
            if (bearing.Where(t => t.TolerationSeconds is not null).Min(t => t.TolerationSeconds) is not { } seconds) continue;
            var at = (taint.TimeAdded ?? now).AddSeconds(Math.Max(0, seconds));
            if (earliest is null || at < earliest) earliest = at;
        }
        return earliest;
    }

    private static bool Tolerates(DeviceToleration toleration, DeviceTaint taint) =>
        (toleration.Effect.Length == 0 || toleration.Effect == taint.Effect)
        && (toleration.Key.Length == 0 ? toleration.Operator == "Exists" : toleration.Key == taint.Key)
        && (toleration.Operator == "Exists" || toleration.Value == taint.Value);

    private static bool Selects(DeviceTaintRule rule, DeviceRequestAllocationResult result) =>
        rule.Spec.DeviceSelector is { } selector
        && (selector.Driver is null || selector.Driver == result.Driver) && (selector.Pool is null || selector.Pool == result.Pool) && (selector.Device is null || selector.Device == result.Device);
}
