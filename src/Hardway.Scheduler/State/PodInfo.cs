using Hardway.Api.Core.V1;
using Hardway.Client;

namespace Hardway.Scheduler.State;

internal readonly record struct HostPort(string Address, string Protocol, int Port)
{
    public bool Collides(HostPort other) =>
        Port == other.Port && Protocol == other.Protocol && (Address == other.Address || Address == "0.0.0.0" || other.Address == "0.0.0.0");
}

/// <summary>A Pod with what the plugins ask again and again, computed once. Immutable; a changed Pod is a new one.</summary>
internal sealed class PodInfo
{
    private readonly AffinityTerm[][]? _terms;

    public PodInfo(Pod pod)
    {
        Pod = pod;
        Key = KubeKey.Of(pod);
        NodeName = pod.Spec.NodeName;
        Requests = PodRequests.Of(pod.Spec);
        (NonZeroMilliCpu, NonZeroMemory) = PodRequests.NonZero(pod.Spec, Requests);
        HostPorts = PortsOf(pod.Spec);
        ClaimNames = ClaimNamesOf(pod);
        if (pod.Spec.Affinity is { } affinity && (affinity.PodAffinity is not null || affinity.PodAntiAffinity is not null))
        {
            _terms =
            [
                AffinityTerm.Required(pod, affinity.PodAffinity?.RequiredDuringSchedulingIgnoredDuringExecution),
                AffinityTerm.Required(pod, affinity.PodAntiAffinity?.RequiredDuringSchedulingIgnoredDuringExecution),
                AffinityTerm.Preferred(pod, affinity.PodAffinity?.PreferredDuringSchedulingIgnoredDuringExecution),
                AffinityTerm.Preferred(pod, affinity.PodAntiAffinity?.PreferredDuringSchedulingIgnoredDuringExecution),
            ];
        }
    }

    private PodInfo(PodInfo same, string node)
    {
        Pod = same.Pod;
        Key = same.Key;
        NodeName = node;
        Requests = same.Requests;
        (NonZeroMilliCpu, NonZeroMemory) = (same.NonZeroMilliCpu, same.NonZeroMemory);
        HostPorts = same.HostPorts;
        ClaimNames = same.ClaimNames;
        _terms = same._terms;
    }

    public Pod Pod { get; }
    public string Key { get; }
    public string NodeName { get; }

    /// <summary>Shared: never to be changed.</summary>
    public ResourceVector Requests { get; }
    public long NonZeroMilliCpu { get; }
    public long NonZeroMemory { get; }
    public HostPort[] HostPorts { get; }

    /// <summary>Claims the Pod names, and those that its ephemeral volumes will be given.</summary>
    public string[] ClaimNames { get; }

    public string Uid => Pod.Metadata.Uid;

    public string Namespace => Pod.Metadata.Namespace;

    public Dictionary<string, string>? Labels => Pod.Metadata.Labels;

    public int Priority => Pod.Spec.Priority ?? 0;

    public bool HasAffinity => _terms is not null;

    public bool IsTerminating => Pod.Metadata.DeletionTimestamp is not null;

    public AffinityTerm[] Terms(TermKind kind) => _terms is null ? [] : _terms[(int)kind];

    /// <summary>The same Pod as it will be once bound.</summary>
    public PodInfo On(string node) => new(this, node);

    public override string ToString() => Key;

    private static HostPort[] PortsOf(PodSpec spec)
    {
        List<HostPort>? ports = null;
        foreach (var container in spec.Containers ?? [])
        {
            AddPorts(container, ref ports);
        }

        foreach (var container in spec.InitContainers ?? [])
        {
            if (container.RestartPolicy == "Always")
            {
                AddPorts(container, ref ports);
            }
        }

        return ports is null ? [] : [.. ports];
    }

    private static void AddPorts(Container container, ref List<HostPort>? ports)
    {
        foreach (var port in container.Ports ?? [])
        {
            if (port.HostPort > 0)
            {
                (ports ??= []).Add(new(port.HostIP.Length == 0 ? "0.0.0.0" : port.HostIP, port.Protocol.Length == 0 ? "TCP" : port.Protocol, port.HostPort));
            }
        }
    }

    private static string[] ClaimNamesOf(Pod pod)
    {
        List<string>? names = null;
        foreach (var volume in pod.Spec.Volumes ?? [])
        {
            if (volume.PersistentVolumeClaim is { } claim)
            {
                (names ??= []).Add(claim.ClaimName);
            }
            else if (volume.Ephemeral is not null)
            {
                (names ??= []).Add($"{pod.Metadata.Name}-{volume.Name}");
            }
        }

        return names is null ? [] : [.. names];
    }
}
