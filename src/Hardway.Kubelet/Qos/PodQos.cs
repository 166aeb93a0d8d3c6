using Hardway.Api;
using Hardway.Api.Core.V1;

namespace Hardway.Kubelet.Qos;

internal enum QosClass { Guaranteed, Burstable, BestEffort }

/// <summary>A Pod's quality of service: Guaranteed when every container's CPU and memory limits equal its requests, BestEffort when none has any.</summary>
internal static class PodQos
{
    private static readonly string[] Computed = ["cpu", "memory"];

    public static QosClass Of(Pod pod)
    {
        if (pod.Spec.Resources is { } whole && (HasAny(whole.Requests) || HasAny(whole.Limits)))
            return IsGuaranteed(whole.Requests, whole.Limits) ? QosClass.Guaranteed : QosClass.Burstable;
        var any = false;
        var guaranteed = true;
        foreach (var container in AllContainers(pod))
        {
            any |= HasAny(container.Resources.Requests) || HasAny(container.Resources.Limits);
            guaranteed &= IsGuaranteed(container.Resources.Requests, container.Resources.Limits);
        }
        return !any ? QosClass.BestEffort : guaranteed ? QosClass.Guaranteed : QosClass.Burstable;
    }

    public static IEnumerable<Container> AllContainers(Pod pod) => (pod.Spec.InitContainers ?? []).Concat(pod.Spec.Containers ?? []);

    private static bool HasAny(Dictionary<string, Quantity>? list) => list != null && Computed.Any(name => Amount(list, name) is { IsZero: false });

    private static bool IsGuaranteed(Dictionary<string, Quantity>? requests, Dictionary<string, Quantity>? limits) => Computed.All(name =>
        Amount(limits, name) is { IsZero: false } limit && (Amount(requests, name) is not { } request || request == limit));

    private static Quantity? Amount(Dictionary<string, Quantity>? list, string name) => list != null && list.TryGetValue(name, out var value) ? value : null;
}
