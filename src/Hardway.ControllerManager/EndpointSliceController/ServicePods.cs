using System.Net;
using System.Net.Sockets;
using Hardway.Api;
using Hardway.Api.Core.V1;

namespace Hardway.ControllerManager;

/// <summary>Which Pods stand behind a Service and at which ports: what endpoints and endpoint slices have in common.</summary>
internal static class ServicePods
{
    /// <summary>A Pod that has an address and has not ended.</summary>
    public static bool MayServe(Pod pod, bool includeTerminating) =>
        !PodState.IsFinished(pod) && (pod.Status.PodIPs is { Count: > 0 } || pod.Status.PodIP.Length > 0) && (includeTerminating || !PodState.IsTerminating(pod));

    public static string? Address(Pod pod, bool v6)
    {
        foreach (var ip in pod.Status.PodIPs ?? [])
        {
            if (IsV6(ip.Ip) == v6) return ip.Ip;
        }
        return pod.Status.PodIP.Length > 0 && IsV6(pod.Status.PodIP) == v6 ? pod.Status.PodIP : null;
    }

    public static IEnumerable<bool> FamiliesV6(Service service) =>
        service.Spec.IpFamilies is { Count: > 0 } families ? families.Select(f => f == "IPv6").Distinct() : [IsV6(service.Spec.ClusterIP)];

    /// <summary>The Service's ports as this Pod has them; a named port the Pod lacks is left out.</summary>
    public static List<(ServicePort Port, int Target)> Ports(Service service, Pod pod)
    {
        List<(ServicePort, int)> found = [];
        foreach (var port in service.Spec.Ports ?? [])
        {
            if (Target(port, pod) is { } target) found.Add((port, target));
        }
        return found;
    }

    public static bool IsHeadless(Service service) => service.Spec.ClusterIP == "None";

    /// <summary>Its own name in the Service's domain, if the Pod has one.</summary>
    public static string? Hostname(Service service, Pod pod) =>
        pod.Spec.Hostname.Length > 0 && pod.Spec.Subdomain == service.Metadata.Name && pod.Metadata.Namespace == service.Metadata.Namespace ? pod.Spec.Hostname : null;

    public static ObjectReference Reference(Pod pod) => new() { Kind = "Pod", Namespace = pod.Metadata.Namespace, Name = pod.Metadata.Name, Uid = pod.Metadata.Uid };

    /// <summary>Services whose selector matches one of the label sets.</summary>
    public static IEnumerable<Service> Selecting(IEnumerable<Service> services, params Pod[] pods)
    {
        foreach (var service in services)
        {
            if (service.Spec.Selector is not { Count: > 0 } map) continue;
            var selector = Selector.FromMap(map);
            if (Array.Exists(pods, p => selector.Matches(p.Metadata.Labels))) yield return service;
        }
    }

    /// <summary>Did something change that endpoints show?</summary>
    public static bool Differs(Pod old, Pod now) =>
        old.Status.PodIP != now.Status.PodIP || old.Spec.NodeName != now.Spec.NodeName || PodState.IsReady(old) != PodState.IsReady(now) || PodState.IsFinished(old) != PodState.IsFinished(now)
        || PodState.IsTerminating(old) != PodState.IsTerminating(now) || (old.Status.PodIPs?.Count ?? 0) != (now.Status.PodIPs?.Count ?? 0) || !SameLabels(old, now) || old.Metadata.Uid != now.Metadata.Uid;

    private static bool SameLabels(Pod a, Pod b) =>
        (a.Metadata.Labels?.Count ?? 0) == (b.Metadata.Labels?.Count ?? 0) && (a.Metadata.Labels ?? []).All(l => b.Metadata.Labels!.TryGetValue(l.Key, out var value) && value == l.Value);

    private static int? Target(ServicePort port, Pod pod)
    {
        if (port.TargetPort is not { } target) return port.Port;
        if (target.IsInt) return target.IntValue == 0 ? port.Port : target.IntValue;
        var containers = (pod.Spec.Containers ?? []).Concat((pod.Spec.InitContainers ?? []).Where(c => c.RestartPolicy == "Always"));
        var protocol = port.Protocol.Length == 0 ? "TCP" : port.Protocol;
        foreach (var candidate in containers.SelectMany(c => c.Ports ?? []))
        {
            if (candidate.Name == target.StringValue && (candidate.Protocol.Length == 0 ? "TCP" : candidate.Protocol) == protocol) return candidate.ContainerPortValue;
        }
        return null;
    }

    public static bool IsV6(string address) => IPAddress.TryParse(address, out var ip) && ip.AddressFamily == AddressFamily.InterNetworkV6;
}
