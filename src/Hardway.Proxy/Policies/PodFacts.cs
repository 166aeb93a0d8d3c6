using System.Net;
using System.Net.Sockets;
using Hardway.Api.Core.V1;
using Hardway.Proxy.Model;

namespace Hardway.Proxy.Policies;

internal readonly record struct PodPort(string Name, L4Protocol Protocol, int Number);

/// <summary>What policies need of a Pod that has a network of its own. Immutable.</summary>
internal sealed record PodFacts
{
    public required string Namespace { get; init; }
    public required string Name { get; init; }
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
    public IReadOnlyList<IPAddress> Addresses { get; init; } = [];

    /// <summary>Container ports that have a name.</summary>
    public IReadOnlyList<PodPort> Ports { get; init; } = [];

    /// <summary>On this node, so that this node isolates it.</summary>
    public bool IsLocal { get; init; }

    /// <summary>
    /// Null for a Pod without a network of its own (the node's counts as the node) and for one that has ended: its address may be another's already.
    /// </summary>
    /// <param name="pod">From the API.</param>
    /// <param name="node">This node.</param>
    /// <param name="known">What this node itself knows of the addresses of its Pods, earlier and better than the API; by "namespace/name".</param>
    public static PodFacts? Of(Pod pod, string node, Func<string, IReadOnlyList<IPAddress>>? known = null)
    {
        if (pod.Spec.HostNetwork || pod.Status.Phase is "Succeeded" or "Failed" || pod.Spec.NodeName is not { Length: > 0 } place)
        {
            return null;
        }

        var own = place == node && known is not null ? known($"{pod.Metadata.Namespace}/{pod.Metadata.Name}") : [];
        var texts = pod.Status.PodIPs is { Count: > 0 } all ? all.ConvertAll(p => p.Ip) : pod.Status.PodIP is { Length: > 0 } one ? [one] : [];
        var addresses = new List<IPAddress>(texts.Count);
        foreach (var text in texts)
        {
            if (IPAddress.TryParse(text, out var address))
            {
                addresses.Add(address);
            }
        }

        return new PodFacts
        {
            Namespace = pod.Metadata.Namespace,
            Name = pod.Metadata.Name,
            Labels = pod.Metadata.Labels ?? [],
            Addresses = own.Count > 0 ? own : addresses,
            Ports = [.. NamedPorts(pod.Spec)],
            IsLocal = place == node,
        };
    }

    public IEnumerable<string> AddressesOf(bool v6) => Addresses.Where(a => a.AddressFamily == AddressFamily.InterNetworkV6 == v6).Select(a => a.ToString());

    /// <summary>Would every rule come out the same?</summary>
    public bool SameAs(PodFacts? other) =>
        other is not null && IsLocal == other.IsLocal && Addresses.SequenceEqual(other.Addresses) && Ports.SequenceEqual(other.Ports)
        && Labels.Count == other.Labels.Count && Labels.All(l => other.Labels.TryGetValue(l.Key, out var value) && value == l.Value);

    /// <summary>Of containers, and of init containers that keep running beside them (restartPolicy Always).</summary>
    private static IEnumerable<PodPort> NamedPorts(PodSpec spec) =>
        from container in (spec.InitContainers ?? []).Where(c => c.RestartPolicy == "Always").Concat(spec.Containers ?? [])
        from port in container.Ports ?? []
        where port.Name is { Length: > 0 }
        select new PodPort(port.Name, Protocol(port.Protocol), port.ContainerPortValue);

    private static L4Protocol Protocol(string? protocol) => protocol switch
    {
        "UDP" => L4Protocol.Udp,
        "SCTP" => L4Protocol.Sctp,
        _ => L4Protocol.Tcp,
    };
}
