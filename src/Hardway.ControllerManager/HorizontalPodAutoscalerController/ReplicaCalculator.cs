using Hardway.Api.Core.V1;

namespace Hardway.ControllerManager;

/// <summary>How far the measured may be from the target without a change, upwards and downwards.</summary>
internal readonly record struct Tolerance(double Up, double Down)
{
    public bool Allows(double ratio) => ratio >= 1 - Down && ratio <= 1 + Up;
}

/// <summary>
/// From measurements to a number of replicas: pure. Pods that are not ready yet, or were not measured, are counted such that they never turn the change round:
/// when growing they use nothing, when shrinking what was not measured uses all it may.
/// </summary>
internal sealed class ReplicaCalculator(TimeSpan cpuInitialization, TimeSpan readinessDelay)
{
    private sealed record Groups(int Ready, List<Pod> Unready, List<Pod> Missing);

    /// <summary>Of a share of what Pods asked for.</summary>
    /// <returns>The replicas, and the share in percent and the use of one Pod that were found.</returns>
    public (int Replicas, int Utilization, long Average) ForUtilization(int current, int target, string resource, IReadOnlyCollection<Pod> pods, Dictionary<string, Measured> measured, Func<Pod, long> asked, Tolerance tolerance, DateTimeOffset now)
    {
        var use = measured.ToDictionary(m => m.Key, m => m.Value, StringComparer.Ordinal);
        var groups = Split(pods, use, resource, now);
        if (use.Count == 0) throw new MetricException("FailedGetResourceMetric", $"no ready Pod was measured for {resource}");
        var byName = pods.ToDictionary(p => p.Metadata.Name, StringComparer.Ordinal);
        double Ratio(Dictionary<string, Measured> values) => values.Sum(v => v.Value.Milli) * 100.0 / Math.Max(1, values.Sum(v => asked(byName[v.Key]))) / target;
        var ratio = Ratio(use);
        var utilization = (int)(use.Sum(v => v.Value.Milli) * 100 / Math.Max(1, use.Sum(v => asked(byName[v.Key]))));
        var average = use.Sum(v => v.Value.Milli) / use.Count;
        return (Decide(current, ratio, groups, use, p => asked(p) * Math.Max(100, target) / 100, Ratio, tolerance), utilization, average);
    }

    /// <summary>Of so much a Pod.</summary>
    public (int Replicas, long Average) ForAverage(int current, long target, string resource, IReadOnlyCollection<Pod> pods, Dictionary<string, Measured> measured, Tolerance tolerance, DateTimeOffset now)
    {
        var use = measured.ToDictionary(m => m.Key, m => m.Value, StringComparer.Ordinal);
        var groups = Split(pods, use, resource, now);
        if (use.Count == 0) throw new MetricException("FailedGetResourceMetric", "no ready Pod was measured");
        double Ratio(Dictionary<string, Measured> values) => values.Sum(v => (double)v.Value.Milli) / values.Count / Math.Max(1, target);
        var average = use.Sum(v => v.Value.Milli) / use.Count;
        return (Decide(current, Ratio(use), groups, use, _ => target, Ratio, tolerance), average);
    }

    /// <summary>Of one value for all: the ready Pods times the ratio.</summary>
    public static int ForValue(int current, long value, long target, int ready, Tolerance tolerance)
    {
        var ratio = (double)value / Math.Max(1, target);
        return tolerance.Allows(ratio) ? current : (int)Math.Ceiling(ratio * Math.Max(1, ready));
    }

    /// <summary>Of one value that all Pods share evenly.</summary>
    public static int ForShare(int current, long value, long target, Tolerance tolerance)
    {
        var ratio = (double)value / (Math.Max(1, target) * (double)Math.Max(1, current));
        return tolerance.Allows(ratio) ? current : (int)Math.Ceiling((double)value / Math.Max(1, target));
    }

    private static int Decide(int current, double ratio, Groups groups, Dictionary<string, Measured> use, Func<Pod, long> full, Func<Dictionary<string, Measured>, double> ratioOf, Tolerance tolerance)
    {
        var unreadyCounts = groups.Unready.Count > 0 && ratio > 1;
        if (!unreadyCounts && groups.Missing.Count == 0) return tolerance.Allows(ratio) ? current : (int)Math.Ceiling(ratio * groups.Ready);
        foreach (var pod in groups.Missing)
        {
            if (ratio < 1) use[pod.Metadata.Name] = new Measured(full(pod), default, default);
            else if (ratio > 1) use[pod.Metadata.Name] = default;
        }
        if (unreadyCounts) foreach (var pod in groups.Unready) use[pod.Metadata.Name] = default;
        var corrected = ratioOf(use);
        if (tolerance.Allows(corrected) || (ratio < 1 && corrected > 1) || (ratio > 1 && corrected < 1)) return current;
        var replicas = (int)Math.Ceiling(corrected * use.Count);
        return (corrected < 1 && replicas > current) || (corrected > 1 && replicas < current) ? current : replicas;
    }

    /// <summary>Takes out of the measurements what does not count, and says which Pods are not ready and which were not measured.</summary>
    private Groups Split(IReadOnlyCollection<Pod> pods, Dictionary<string, Measured> use, string resource, DateTimeOffset now)
    {
        List<Pod> unready = [], missing = [];
        var ready = 0;
        HashSet<string> counted = new(StringComparer.Ordinal);
        foreach (var pod in pods)
        {
            if (PodState.IsTerminating(pod) || pod.Status.Phase == "Failed") continue;
            if (pod.Status.Phase is "Pending" or "") unready.Add(pod);
            else if (!use.TryGetValue(pod.Metadata.Name, out var measured)) missing.Add(pod);
            else if (resource == "cpu" && IsStarting(pod, measured, now)) unready.Add(pod);
            else
            {
                ready++;
                counted.Add(pod.Metadata.Name);
            }
        }
        foreach (var name in use.Keys.Where(n => !counted.Contains(n)).ToList()) use.Remove(name);
        return new Groups(ready, unready, missing);
    }

    /// <summary>Is the CPU that was measured that of its start?</summary>
    private bool IsStarting(Pod pod, Measured measured, DateTimeOffset now)
    {
        if (PodState.Condition(pod, "Ready") is not { } condition || pod.Status.StartTime is not { } started) return true;
        var changed = condition.LastTransitionTime ?? started;
        if (started + cpuInitialization > now) return condition.Status == "False" || measured.At < changed + measured.Window;
        return condition.Status == "False" && started + readinessDelay > changed;
    }
}
