using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Admission.Plugins.Limits;

namespace Hardway.ApiServer.Admission.Plugins.Quota;

/// <summary>What one object takes of a namespace's quotas, by the names that quotas use.</summary>
internal static class QuotaUsage
{
    private const string StorageClassSuffix = ".storageclass.storage.k8s.io/";
    private static readonly string[] s_plainCounts = ["configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas", "secrets", "services"];

    public static Dictionary<string, Quantity> Of(string group, string resource, ApiStruct? value)
    {
        var usage = new Dictionary<string, Quantity>(StringComparer.Ordinal);
        if (value is null)
        {
            return usage;
        }

        usage[CountName(group, resource)] = Quantity.FromValue(1);
        switch (value)
        {
            case Pod pod:
                OfPod(pod, usage);
                break;
            case Service service:
                OfService(service, usage);
                break;
            case PersistentVolumeClaim claim:
                OfClaim(claim, usage);
                break;
            default:
                if (group.Length == 0 && s_plainCounts.Contains(resource))
                {
                    usage[resource] = Quantity.FromValue(1);
                }

                break;
        }

        return usage;
    }

    public static string CountName(string group, string resource) => group.Length == 0 ? "count/" + resource : $"count/{resource}.{group}";

    public static bool IsTerminal(Pod pod) => pod.Status.Phase is "Succeeded" or "Failed";

    private static void OfPod(Pod pod, Dictionary<string, Quantity> usage)
    {
        if (IsTerminal(pod))
        {
            return;
        }

        usage["pods"] = Quantity.FromValue(1);
        foreach (var (name, value) in PodResources.Usage(pod.Spec, r => r.Requests, pod.Spec.Resources?.Requests))
        {
            usage["requests." + name] = value;
            if (name is "cpu" or "memory" or "ephemeral-storage" || name.StartsWith("hugepages-", StringComparison.Ordinal))
            {
                usage[name] = value;
            }
        }

        foreach (var (name, value) in PodResources.Usage(pod.Spec, r => r.Limits, pod.Spec.Resources?.Limits))
        {
            if (name is "cpu" or "memory" or "ephemeral-storage")
            {
                usage["limits." + name] = value;
            }
        }
    }

    private static void OfService(Service service, Dictionary<string, Quantity> usage)
    {
        usage["services"] = Quantity.FromValue(1);
        var ports = service.Spec.Ports?.Count ?? 0;
        switch (service.Spec.Type)
        {
            case "NodePort":
                usage["services.nodeports"] = Quantity.FromValue(ports);
                break;
            case "LoadBalancer":
                usage["services.loadbalancers"] = Quantity.FromValue(1);
                usage["services.nodeports"] = Quantity.FromValue(service.Spec.AllocateLoadBalancerNodePorts != false ? ports : (service.Spec.Ports ?? []).Count(p => p.NodePort != 0));
                break;
        }
    }

    private static void OfClaim(PersistentVolumeClaim claim, Dictionary<string, Quantity> usage)
    {
        usage["persistentvolumeclaims"] = Quantity.FromValue(1);
        var @class = claim.Spec.StorageClassName is { Length: > 0 } name ? name + StorageClassSuffix : null;
        if (@class is not null)
        {
            usage[@class + "persistentvolumeclaims"] = Quantity.FromValue(1);
        }

        if (claim.Spec.Resources.Requests?.TryGetValue("storage", out var size) ?? false)
        {
            usage["requests.storage"] = size;
            if (@class is not null)
            {
                usage[@class + "requests.storage"] = size;
            }
        }
    }
}
