using System.Globalization;
using Hardway.Api;
using Hardway.Api.Apps.V1;

namespace Hardway.ControllerManager;

/// <summary>The arithmetic of a Deployment's rollout: pure functions of the Deployment and its ReplicaSets.</summary>
internal static class Rollout
{
    public const string Revision = "deployment.kubernetes.io/revision";
    public const string RevisionHistory = "deployment.kubernetes.io/revision-history";
    public const string DesiredReplicas = "deployment.kubernetes.io/desired-replicas";
    public const string MaxReplicas = "deployment.kubernetes.io/max-replicas";

    public static int Replicas(Deployment deployment) => deployment.Spec.Replicas ?? 1;

    public static int Replicas(ReplicaSet set) => set.Spec.Replicas ?? 1;

    public static bool IsRolling(Deployment deployment) => deployment.Spec.Strategy.Type != "Recreate";

    /// <summary>maxSurge rounded up and maxUnavailable rounded down, never both zero.</summary>
    public static (int Surge, int Unavailable) Bounds(Deployment deployment)
    {
        if (!IsRolling(deployment)) return (0, 0);
        var rolling = deployment.Spec.Strategy.RollingUpdate;
        var replicas = Replicas(deployment);
        var surge = (rolling?.MaxSurge ?? new IntOrString("25%")).Scaled(replicas, roundUp: true) ?? 0;
        var unavailable = (rolling?.MaxUnavailable ?? new IntOrString("25%")).Scaled(replicas, roundUp: false) ?? 0;
        if (surge == 0 && unavailable == 0) unavailable = 1;
        return (surge, Math.Min(unavailable, replicas));
    }

    public static int MaxUnavailable(Deployment deployment) => IsRolling(deployment) && Replicas(deployment) > 0 ? Bounds(deployment).Unavailable : 0;

    public static int MaxSurge(Deployment deployment) => Bounds(deployment).Surge;

    /// <summary>How many replicas the new ReplicaSet may have now.</summary>
    public static int NewReplicas(Deployment deployment, IEnumerable<ReplicaSet> all, ReplicaSet newSet)
    {
        if (!IsRolling(deployment)) return Replicas(deployment);
        var current = all.Sum(Replicas);
        var most = Replicas(deployment) + MaxSurge(deployment);
        if (current >= most) return Replicas(newSet);
        return Replicas(newSet) + Math.Min(most - current, Replicas(deployment) - Replicas(newSet));
    }

    /// <summary>
    /// How far each old ReplicaSet may shrink so that enough Pods stay available: first replicas that are not healthy anyway, then available
    /// ones, oldest set first.
    /// </summary>
    public static Dictionary<ReplicaSet, int> ShrinkOld(Deployment deployment, IReadOnlyCollection<ReplicaSet> all, ReplicaSet newSet, IEnumerable<ReplicaSet> old)
    {
        Dictionary<ReplicaSet, int> sizes = [];
        var active = old.Where(s => Replicas(s) > 0).OrderBy(s => s.Metadata.CreationTimestamp).ThenBy(s => s.Metadata.Name, StringComparer.Ordinal).ToList();
        var minAvailable = Replicas(deployment) - MaxUnavailable(deployment);
        var newUnavailable = Replicas(newSet) - Available(newSet);
        var most = all.Sum(Replicas) - minAvailable - newUnavailable;
        if (most <= 0) return sizes;
        var cleaned = 0;
        foreach (var set in active)
        {
            if (cleaned >= most) break;
            var unhealthy = Math.Min(most - cleaned, Replicas(set) - Available(set));
            if (unhealthy <= 0) continue;
            sizes[set] = Replicas(set) - unhealthy;
            cleaned += unhealthy;
        }
        var spare = all.Sum(Available) - minAvailable;
        foreach (var set in active)
        {
            if (spare <= 0) break;
            var size = sizes.GetValueOrDefault(set, Replicas(set));
            var down = Math.Min(size, spare);
            if (down <= 0) continue;
            sizes[set] = size - down;
            spare -= down;
        }
        return sizes;
    }

    /// <summary>Available Pods that will stay: right after a set was shrunk its status still counts those that are going.</summary>
    private static int Available(ReplicaSet set) => Math.Min(set.Status.AvailableReplicas, Replicas(set));

    /// <summary>
    /// When a Deployment is scaled in the middle of a rollout, every ReplicaSet gets its share of the change in proportion to its size; what
    /// rounding leaves over goes to the largest.
    /// </summary>
    public static Dictionary<ReplicaSet, int> ScaleProportionally(Deployment deployment, IEnumerable<ReplicaSet> active)
    {
        var sets = active.ToList();
        var allowed = Replicas(deployment) > 0 ? Replicas(deployment) + MaxSurge(deployment) : 0;
        var toAdd = allowed - sets.Sum(Replicas);
        sets = toAdd > 0
            ? [.. sets.OrderByDescending(Replicas).ThenByDescending(s => s.Metadata.CreationTimestamp)]
            : [.. sets.OrderByDescending(Replicas).ThenBy(s => s.Metadata.CreationTimestamp)];
        Dictionary<ReplicaSet, int> sizes = [];
        var added = 0;
        foreach (var set in sets)
        {
            var size = Replicas(set);
            if (toAdd != 0)
            {
                var fraction = Fraction(set, deployment);
                var left = toAdd - added;
                var share = toAdd > 0 ? Math.Min(Math.Max(fraction, 0), left) : Math.Max(Math.Min(fraction, 0), left);
                size += share;
                added += share;
            }
            sizes[set] = size;
        }
        if (sets.Count > 0 && toAdd != added) sizes[sets[0]] = Math.Max(0, sizes[sets[0]] + toAdd - added);
        return sizes;
    }

    private static int Fraction(ReplicaSet set, Deployment deployment)
    {
        if (Replicas(deployment) == 0) return -Replicas(set);
        var before = IntAnnotation(set, MaxReplicas) is { } max and > 0 ? max : Math.Max(1, deployment.Status.Replicas);
        var size = (double)Replicas(set) * (Replicas(deployment) + MaxSurge(deployment)) / before;
        return (int)Math.Round(size, MidpointRounding.AwayFromZero) - Replicas(set);
    }

    /// <summary>Everything new, nothing old, all available.</summary>
    public static bool IsComplete(Deployment deployment, DeploymentStatus status)
    {
        var wanted = Replicas(deployment);
        return status.UpdatedReplicas == wanted && status.Replicas == wanted && status.AvailableReplicas == wanted && status.ObservedGeneration >= deployment.Metadata.Generation;
    }

    /// <summary>Did something move since the status that stands in the object?</summary>
    public static bool IsProgressing(Deployment deployment, DeploymentStatus now)
    {
        var was = deployment.Status;
        return now.UpdatedReplicas > was.UpdatedReplicas || now.Replicas - now.UpdatedReplicas < was.Replicas - was.UpdatedReplicas
            || now.ReadyReplicas > was.ReadyReplicas || now.AvailableReplicas > was.AvailableReplicas;
    }

    /// <summary>The new ReplicaSet has all replicas and all are available.</summary>
    public static bool IsSaturated(Deployment deployment, ReplicaSet? newSet) =>
        newSet is not null && Replicas(newSet) == Replicas(deployment) && IntAnnotation(newSet, DesiredReplicas) == Replicas(deployment) && newSet.Status.AvailableReplicas == Replicas(deployment);

    public static int? IntAnnotation(ReplicaSet set, string name) =>
        set.Metadata.Annotations?.GetValueOrDefault(name) is { } text && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;

    public static long RevisionOf(ReplicaSet set) =>
        set.Metadata.Annotations?.GetValueOrDefault(Revision) is { } text && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0;

    /// <summary>Same template but for the hash label.</summary>
    public static bool SameTemplate(Api.Core.V1.PodTemplateSpec a, Api.Core.V1.PodTemplateSpec b)
    {
        var x = a.Clone();
        var y = b.Clone();
        x.Metadata.Labels?.Remove(PodTemplateHash.Label);
        y.Metadata.Labels?.Remove(PodTemplateHash.Label);
        return ApiStruct.DeepEquals(x, y);
    }
}
