using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Kubelet.Pods;

namespace Hardway.Kubelet.Qos;

/// <summary>
/// What a whole Pod asks for: the containers together with the sidecars, or the greatest init container with the sidecars
/// started before it, plus overhead.
/// </summary>
internal static class PodResources
{
    public static Quantity Requests(Pod pod, string resource) => Total(pod, resource, c => c.Resources.Requests, pod.Spec.Resources?.Requests);

    /// <summary>Null when one container has no limit: then the Pod has none.</summary>
    public static Quantity? Limits(Pod pod, string resource)
    {
        if (pod.Spec.Resources?.Limits is { } whole && whole.TryGetValue(resource, out var limit))
            return limit;
        var all = PodQos.AllContainers(pod);
        return all.All(c => c.Resources.Limits?.TryGetValue(resource, out var l) == true && !l.IsZero) ? Total(pod, resource, c => c.Resources.Limits, null) : null;
    }

    private static Quantity Total(Pod pod, string resource, Func<Container, Dictionary<string, Quantity>?> list, Dictionary<string, Quantity>? whole)
    {
        var overhead = pod.Spec.Overhead != null && pod.Spec.Overhead.TryGetValue(resource, out var o) ? o : Quantity.Zero;
        if (whole != null && whole.TryGetValue(resource, out var given))
            return given + overhead;
        var sidecars = Quantity.Zero;
        var initPeak = Quantity.Zero;
        foreach (var container in pod.Spec.InitContainers ?? [])
        {
            var amount = Amount(container);
            if (container.IsSidecar())
                sidecars += amount;
            initPeak = Max(initPeak, container.IsSidecar() ? sidecars : sidecars + amount);
        }
        var apps = (pod.Spec.Containers ?? []).Aggregate(sidecars, (sum, c) => sum + Amount(c));
        return Max(apps, initPeak) + overhead;

        Quantity Amount(Container container) => list(container) is { } amounts && amounts.TryGetValue(resource, out var value) ? value : Quantity.Zero;
    }

    private static Quantity Max(Quantity a, Quantity b) => a > b ? a : b;
}
