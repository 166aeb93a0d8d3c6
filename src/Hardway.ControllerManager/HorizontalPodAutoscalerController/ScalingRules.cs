using Hardway.Api.Autoscaling.V2;

namespace Hardway.ControllerManager;

/// <summary>
/// How fast an autoscaler may move: stabilisation (up: the lowest recommendation of the window, down: the highest) and policies (so many Pods or percent in
/// a period). Remembers its recommendations and changes; for one thread.
/// </summary>
internal sealed class ScalingRules(TimeSpan downscaleStabilization)
{
    private static readonly TimeSpan _longest = TimeSpan.FromHours(1);
    private readonly List<(DateTimeOffset At, int Replicas)> _recommendations = [];
    private readonly List<(DateTimeOffset At, int Change)> _changes = [];

    /// <summary>The size to go to, and why it differs from what was recommended (a ScalingLimited reason), if it does.</summary>
    public (int Replicas, string Reason, string Message) Apply(HorizontalPodAutoscaler hpa, int current, int recommended, DateTimeOffset now)
    {
        _recommendations.RemoveAll(r => r.At < now - _longest);
        _changes.RemoveAll(c => c.At < now - _longest);
        _recommendations.Add((now, recommended));
        var min = hpa.Spec.MinReplicas ?? 1;
        var up = hpa.Spec.Behavior?.ScaleUp;
        var down = hpa.Spec.Behavior?.ScaleDown;
        var upFloor = Within(TimeSpan.FromSeconds(up?.StabilizationWindowSeconds ?? 0), now).Min();
        var downCeiling = Within(down?.StabilizationWindowSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : downscaleStabilization, now).Max();
        var wanted = current;
        if (wanted < upFloor) wanted = upFloor;
        if (wanted > downCeiling) wanted = downCeiling;
        if (wanted > current && Limit(up, current, now, growing: true) is { } most && wanted > Math.Max(most, current)) return Bound(Math.Max(most, current), min, hpa.Spec.MaxReplicas, "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
        if (wanted < current && Limit(down, current, now, growing: false) is { } least && wanted < Math.Min(least, current)) return Bound(Math.Min(least, current), min, hpa.Spec.MaxReplicas, "ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate");
        return Bound(wanted, min, hpa.Spec.MaxReplicas, "DesiredWithinRange", "the desired count is within the acceptable range");
    }

    public void Changed(int change, DateTimeOffset now) => _changes.Add((now, change));

    private IEnumerable<int> Within(TimeSpan window, DateTimeOffset now) => _recommendations.Where(r => r.At >= now - window || r == _recommendations[^1]).Select(r => r.Replicas);

    private static (int Replicas, string Reason, string Message) Bound(int wanted, int min, int max, string reason, string message) =>
        wanted < min ? (min, "TooFewReplicas", "the desired replica count is less than the minimum replica count")
        : wanted > max ? (max, "TooManyReplicas", "the desired replica count is more than the maximum replica count")
        : (wanted, reason, message);

    /// <summary>How far the policies let it go from the size at the start of each period. Null: no bound.</summary>
    private int? Limit(HPAScalingRules? rules, int current, DateTimeOffset now, bool growing)
    {
        if (rules?.SelectPolicy == "Disabled") return current;
        List<HPAScalingPolicy> standard = growing
            ? [new HPAScalingPolicy { Type = "Pods", Value = 4, PeriodSeconds = 15 }, new HPAScalingPolicy { Type = "Percent", Value = 100, PeriodSeconds = 15 }]
            : [new HPAScalingPolicy { Type = "Percent", Value = 100, PeriodSeconds = 15 }];
        var limits = (rules?.Policies is { Count: > 0 } given ? given : standard).Select(p => LimitOf(p, current, now, growing)).ToList();
        if (limits.Count == 0) return null;
        return growing == (rules?.SelectPolicy == "Min") ? limits.Min() : limits.Max();
    }

    private int LimitOf(HPAScalingPolicy policy, int current, DateTimeOffset now, bool growing)
    {
        var changed = _changes.Where(c => c.At >= now.AddSeconds(-policy.PeriodSeconds) && c.Change > 0 == growing).Sum(c => c.Change);
        var start = current - changed;
        var share = policy.Type == "Percent" ? start * policy.Value / 100.0 : policy.Value;
        return growing ? (int)Math.Ceiling(start + share) : (int)Math.Floor(start - share);
    }
}
