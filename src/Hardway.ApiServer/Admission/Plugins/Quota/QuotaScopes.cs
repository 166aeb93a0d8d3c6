using Hardway.Api;
using Hardway.Api.Core.V1;

namespace Hardway.ApiServer.Admission.Plugins.Quota;

/// <summary>Whether a quota with scopes counts an object: scopes are about Pods, and one about claims.</summary>
internal static class QuotaScopes
{
    public static bool Match(ResourceQuota quota, ApiStruct value)
    {
        foreach (var scope in quota.Spec.Scopes ?? [])
        {
            if (!Match(scope, "Exists", [], value))
            {
                return false;
            }
        }

        foreach (var expression in quota.Spec.ScopeSelector?.MatchExpressions ?? [])
        {
            if (!Match(expression.ScopeName, expression.Operator, expression.Values ?? [], value))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Match(string scope, string @operator, List<string> values, ApiStruct value) => (scope, value) switch
    {
        ("Terminating", Pod pod) => pod.Spec.ActiveDeadlineSeconds >= 0,
        ("NotTerminating", Pod pod) => pod.Spec.ActiveDeadlineSeconds is null,
        ("BestEffort", Pod pod) => IsBestEffort(pod.Spec),
        ("NotBestEffort", Pod pod) => !IsBestEffort(pod.Spec),
        ("PriorityClass", Pod pod) => Matches(@operator, values, pod.Spec.PriorityClassName),
        ("CrossNamespacePodAffinity", Pod pod) => CrossesNamespaces(pod.Spec.Affinity),
        ("VolumeAttributesClass", PersistentVolumeClaim claim) => Matches(@operator, values, claim.Spec.VolumeAttributesClassName ?? ""),
        _ => false,
    };

    private static bool Matches(string @operator, List<string> values, string value) => @operator switch
    {
        "In" => values.Contains(value),
        "NotIn" => !values.Contains(value),
        "Exists" => value.Length > 0,
        "DoesNotExist" => value.Length == 0,
        _ => false,
    };

    private static bool IsBestEffort(PodSpec spec) =>
        spec.Resources is null or { Requests: not { Count: > 0 }, Limits: not { Count: > 0 } }
        && (spec.Containers ?? []).Concat(spec.InitContainers ?? []).All(c => c.Resources.Requests is not { Count: > 0 } && c.Resources.Limits is not { Count: > 0 });

    private static bool CrossesNamespaces(Affinity? affinity)
    {
        var terms = new List<PodAffinityTerm>();
        terms.AddRange(affinity?.PodAffinity?.RequiredDuringSchedulingIgnoredDuringExecution ?? []);
        terms.AddRange(affinity?.PodAntiAffinity?.RequiredDuringSchedulingIgnoredDuringExecution ?? []);
        terms.AddRange((affinity?.PodAffinity?.PreferredDuringSchedulingIgnoredDuringExecution ?? []).Select(t => t.PodAffinityTerm));
        terms.AddRange((affinity?.PodAntiAffinity?.PreferredDuringSchedulingIgnoredDuringExecution ?? []).Select(t => t.PodAffinityTerm));
        return terms.Any(t => t.Namespaces is { Count: > 0 } || t.NamespaceSelector is not null);
    }
}
