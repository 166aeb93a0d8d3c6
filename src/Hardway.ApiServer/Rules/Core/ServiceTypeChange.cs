using Hardway.Api.Core.V1;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>
/// What an update of a Service means where it leaves something out. 1 What the old type allocated and the new type needs is kept, for clients that do not
/// know allocated fields. 2 What only the old type needs, and the client left as it was, goes; what it changed stays, for validation to refuse.
/// </summary>
internal static class ServiceTypeChange
{
    public static bool HasHealthPort(ServiceSpec spec) => spec.Type == "LoadBalancer" && spec.ExternalTrafficPolicy == "Local";

    public static void Settle(ServiceSpec spec, ServiceSpec old)
    {
        Keep(spec, old);
        DropPorts(spec, old);
        DropPolicies(spec, old);
    }

    private static void Keep(ServiceSpec spec, ServiceSpec old)
    {
        if (HasClusterIP(spec) && HasClusterIP(old))
        {
            spec.ClusterIP = spec.ClusterIP.Length == 0 ? old.ClusterIP : spec.ClusterIP;
            spec.ClusterIPs = spec.ClusterIPs is not { Count: > 0 } && spec.ClusterIP == old.ClusterIP ? old.ClusterIPs : spec.ClusterIPs;
        }

        if (HasNodePorts(spec) && HasNodePorts(old))
        {
            var used = (spec.Ports ?? []).Where(p => p.NodePort > 0).Select(p => (p.NodePort, p.Protocol)).ToHashSet();
            foreach (var port in (spec.Ports ?? []).Where(p => p.NodePort == 0))
            {
                if (old.Ports?.Find(p => p.Port == port.Port && p.Protocol == port.Protocol) is { NodePort: > 0 } before && used.Add((before.NodePort, before.Protocol)))
                {
                    port.NodePort = before.NodePort;
                }
            }
        }

        if (HasHealthPort(spec) && HasHealthPort(old) && spec.HealthCheckNodePort == 0)
        {
            spec.HealthCheckNodePort = old.HealthCheckNodePort;
        }
    }

    private static void DropPorts(ServiceSpec spec, ServiceSpec old)
    {
        if (!HasNodePorts(spec) && HasNodePorts(old) && NodePorts(spec).SequenceEqual(NodePorts(old)))
        {
            spec.Ports?.ForEach(p => p.NodePort = 0);
        }

        if (!HasHealthPort(spec) && HasHealthPort(old) && spec.HealthCheckNodePort == old.HealthCheckNodePort)
        {
            spec.HealthCheckNodePort = 0;
        }
    }

    private static void DropPolicies(ServiceSpec spec, ServiceSpec old)
    {
        if (spec.Type != "LoadBalancer" && old.Type == "LoadBalancer")
        {
            spec.AllocateLoadBalancerNodePorts = spec.AllocateLoadBalancerNodePorts == old.AllocateLoadBalancerNodePorts ? null : spec.AllocateLoadBalancerNodePorts;
            spec.LoadBalancerClass = spec.LoadBalancerClass == old.LoadBalancerClass ? null : spec.LoadBalancerClass;
        }

        if (!IsExternal(spec) && IsExternal(old) && spec.ExternalTrafficPolicy == old.ExternalTrafficPolicy)
        {
            spec.ExternalTrafficPolicy = "";
        }

        if (!HasClusterIP(spec) && HasClusterIP(old) && spec.InternalTrafficPolicy == old.InternalTrafficPolicy)
        {
            spec.InternalTrafficPolicy = null;
        }
    }

    private static bool HasClusterIP(ServiceSpec spec) => spec.Type is "ClusterIP" or "NodePort" or "LoadBalancer";

    private static bool HasNodePorts(ServiceSpec spec) => spec.Type is "NodePort" or "LoadBalancer";

    private static bool IsExternal(ServiceSpec spec) => HasNodePorts(spec) || (spec.Type == "ClusterIP" && spec.ExternalIPs is { Count: > 0 });

    private static IEnumerable<int> NodePorts(ServiceSpec spec) => (spec.Ports ?? []).Select(p => p.NodePort).Order();
}
