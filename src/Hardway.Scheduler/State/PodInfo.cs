using Hardway.Api.Core.V1;
using Hardway.Client;

namespace Hardway.Scheduler.State;

internal readonly record struct HostPort(string Address, string Protocol, int Port);

/// <summary>A Pod with what the plugins ask again and again, computed once. Immutable; a changed Pod is a new one.</summary>
internal sealed class PodInfo
{
    public PodInfo(Pod pod, string? node = null)
    {
        Pod = pod;
        Key = KubeKey.Of(pod);
        NodeName = node ?? pod.Spec.NodeName;
        Requests = PodRequests.Of(pod.Spec);
        var nonZero = PodRequests.Of(pod.Spec, nonZero: true);
        (NonZeroMilliCpu, NonZeroMemory) = (nonZero.MilliCpu, nonZero.Memory);
        HostPorts = PortsOf(pod.Spec);
        var affinity = pod.Spec.Affinity;
        Affinity = AffinityTerm.Required(pod, affinity?.PodAffinity?.RequiredDuringSchedulingIgnoredDuringExecution);
        AntiAffinity = AffinityTerm.Required(pod, affinity?.PodAntiAffinity?.RequiredDuringSchedulingIgnoredDuringExecution);
        PreferredAffinity = AffinityTerm.Preferred(pod, affinity?.PodAffinity?.PreferredDuringSchedulingIgnoredDuringExecution);
        PreferredAntiAffinity = AffinityTerm.Preferred(pod, affinity?.PodAntiAffinity?.PreferredDuringSchedulingIgnoredDuringExecution);
    }

    public Pod Pod { get; }
    public string Key { get; }
    public string NodeName { get; }
    public ResourceVector Requests { get; }
    public long NonZeroMilliCpu { get; }
    public long NonZeroMemory { get; }
    public IReadOnlyList<HostPort> HostPorts { get; }
    public IReadOnlyList<AffinityTerm> Affinity { get; }
    public IReadOnlyList<AffinityTerm> AntiAffinity { get; }
    public IReadOnlyList<AffinityTerm> PreferredAffinity { get; }
    public IReadOnlyList<AffinityTerm> PreferredAntiAffinity { get; }

    public string Uid => Pod.Metadata.Uid;

    public string Namespace => Pod.Metadata.Namespace;

    public IReadOnlyDictionary<string, string>? Labels => Pod.Metadata.Labels;

    public int Priority => Pod.Spec.Priority ?? 0;

    public bool HasAffinity => Affinity.Count + AntiAffinity.Count + PreferredAffinity.Count + PreferredAntiAffinity.Count > 0;

    public bool IsTerminating => Pod.Metadata.DeletionTimestamp is not null;

    /// <summary>The same Pod as it will be once bound.</summary>
    public PodInfo On(string node) => new(Pod, node);

    public override string ToString() => Key;

    private static List<HostPort> PortsOf(PodSpec spec)
    {
        var ports = new List<HostPort>();
        var sidecars = (spec.InitContainers ?? []).Where(c => c.RestartPolicy == "Always");
        foreach (var port in (spec.Containers ?? []).Concat(sidecars).SelectMany(c => c.Ports ?? []))
        {
            if (port.HostPort > 0)
            {
                ports.Add(new(port.HostIP.Length == 0 ? "0.0.0.0" : port.HostIP, port.Protocol.Length == 0 ? "TCP" : port.Protocol, port.HostPort));
            }
        }

        return ports;
    }
}
