using Hardway.Api;
using Hardway.Api.Core.V1;

namespace Hardway.ControllerManager;

/// <summary>What Pods, claims and Services use of a quota's resources: pure.</summary>
internal static class QuotaUsage
{
    private static readonly Quantity _one = Quantity.Parse("1");

    /// <summary>Pods that still hold what they asked for.</summary>
    public static bool Counts(Pod pod, DateTimeOffset now)
    {
        if (PodState.IsFinished(pod)) return false;
        // A Pod that should be gone by now (its node is lost) does not hold a quota.
        return pod.Metadata.DeletionTimestamp is not { } at || now <= at.AddSeconds(60);
    }

    public static bool InScope(ResourceQuota quota, Pod pod)
    {
        foreach (var scope in quota.Spec.Scopes ?? [])
        {
            if (!Matches(scope, "Exists", [], pod)) return false;
        }
        return (quota.Spec.ScopeSelector?.MatchExpressions ?? []).TrueForAll(e => Matches(e.ScopeName, e.Operator, e.Values ?? [], pod));
    }

    /// <summary>A claim has one scope of its own; a quota for scopes of Pods does not count it.</summary>
    public static bool InScope(ResourceQuota quota, PersistentVolumeClaim claim)
    {
        if (quota.Spec.Scopes is { Count: > 0 }) return false;
        string?[] classes = [claim.Spec.VolumeAttributesClassName, claim.Status.CurrentVolumeAttributesClassName, claim.Status.ModifyVolumeStatus?.TargetVolumeAttributesClassName];
        var named = classes.Where(c => c is { Length: > 0 }).ToList();
        return (quota.Spec.ScopeSelector?.MatchExpressions ?? []).TrueForAll(e => e.ScopeName == "VolumeAttributesClass" && e.Operator switch
        {
            "Exists" => named.Count > 0,
            "DoesNotExist" => named.Count == 0,
            "In" => named.Exists(c => e.Values?.Contains(c!) == true),
            "NotIn" => !named.Exists(c => e.Values?.Contains(c!) == true),
            _ => false,
        });
    }

    public static void Add(Dictionary<string, Quantity> used, Pod pod)
    {
        Count(used, "pods", _one);
        Count(used, "count/pods", _one);
        foreach (var (name, amount) in Sum(pod, r => r.Requests))
        {
            Count(used, name, amount);
            Count(used, "requests." + name, amount);
        }
        foreach (var (name, amount) in Sum(pod, r => r.Limits)) Count(used, "limits." + name, amount);
    }

    public static void Add(Dictionary<string, Quantity> used, Service service)
    {
        Count(used, "services", _one);
        Count(used, "count/services", _one);
        if (service.Spec.Type == "LoadBalancer") Count(used, "services.loadbalancers", _one);
        var ports = (service.Spec.Ports ?? []).Count;
        if (service.Spec.Type == "NodePort" || (service.Spec.Type == "LoadBalancer" && service.Spec.AllocateLoadBalancerNodePorts != false)) Count(used, "services.nodeports", Quantity.Parse($"{ports}"));
    }

    public static void Add(Dictionary<string, Quantity> used, PersistentVolumeClaim claim)
    {
        Count(used, "persistentvolumeclaims", _one);
        Count(used, "count/persistentvolumeclaims", _one);
        var requested = claim.Spec.Resources.Requests?.GetValueOrDefault("storage");
        if (requested is { } storage) Count(used, "requests.storage", storage);
        if (claim.Spec.StorageClassName is not { Length: > 0 } @class) return;
        Count(used, $"{@class}.storageclass.storage.k8s.io/persistentvolumeclaims", _one);
        if (requested is { } ofClass) Count(used, $"{@class}.storageclass.storage.k8s.io/requests.storage", ofClass);
    }

    public static void Count(Dictionary<string, Quantity> used, string name, Quantity amount)
    {
        if (used.TryGetValue(name, out var before)) used[name] = before + amount;
    }

    /// <summary>Containers together, or the largest init container where that is more, and the overhead.</summary>
    private static Dictionary<string, Quantity> Sum(Pod pod, Func<ResourceRequirements, Dictionary<string, Quantity>?> of)
    {
        Dictionary<string, Quantity> total = new(StringComparer.Ordinal);
        foreach (var container in (pod.Spec.Containers ?? []).Concat((pod.Spec.InitContainers ?? []).Where(c => c.RestartPolicy == "Always")))
        {
            foreach (var (name, amount) in of(container.Resources) ?? []) total[name] = total.TryGetValue(name, out var before) ? before + amount : amount;
        }
        foreach (var container in (pod.Spec.InitContainers ?? []).Where(c => c.RestartPolicy != "Always"))
        {
            foreach (var (name, amount) in of(container.Resources) ?? [])
            {
                if (!total.TryGetValue(name, out var before) || amount > before) total[name] = amount;
            }
        }
        // What the Pod says for itself as a whole stands above its containers (KEP-2837).
        if (pod.Spec.Resources is { } whole)
        {
            foreach (var (name, amount) in of(whole) ?? []) total[name] = amount;
        }
        foreach (var (name, amount) in pod.Spec.Overhead ?? []) total[name] = total.TryGetValue(name, out var before) ? before + amount : amount;
        return total;
    }

    private static bool Matches(string scope, string op, List<string> values, Pod pod) => scope switch
    {
        "Terminating" => pod.Spec.ActiveDeadlineSeconds is not null,
        "NotTerminating" => pod.Spec.ActiveDeadlineSeconds is null,
        "BestEffort" => IsBestEffort(pod),
        "NotBestEffort" => !IsBestEffort(pod),
        "PriorityClass" => op switch
        {
            "Exists" => pod.Spec.PriorityClassName.Length > 0,
            "DoesNotExist" => pod.Spec.PriorityClassName.Length == 0,
            "In" => values.Contains(pod.Spec.PriorityClassName),
            "NotIn" => !values.Contains(pod.Spec.PriorityClassName),
            _ => false,
        },
        "CrossNamespacePodAffinity" => UsesOtherNamespaces(pod),
        _ => false,
    };

    private static bool IsBestEffort(Pod pod) =>
        (pod.Spec.Containers ?? []).Concat(pod.Spec.InitContainers ?? []).All(c => c.Resources.Requests is null or { Count: 0 } && c.Resources.Limits is null or { Count: 0 });

    private static bool UsesOtherNamespaces(Pod pod)
    {
        var terms = (pod.Spec.Affinity?.PodAffinity?.RequiredDuringSchedulingIgnoredDuringExecution ?? []).Concat(pod.Spec.Affinity?.PodAntiAffinity?.RequiredDuringSchedulingIgnoredDuringExecution ?? [])
            .Concat((pod.Spec.Affinity?.PodAffinity?.PreferredDuringSchedulingIgnoredDuringExecution ?? []).Concat(pod.Spec.Affinity?.PodAntiAffinity?.PreferredDuringSchedulingIgnoredDuringExecution ?? []).Select(w => w.PodAffinityTerm));
        return terms.Any(t => t.Namespaces is { Count: > 0 } || t.NamespaceSelector is not null);
    }
}
