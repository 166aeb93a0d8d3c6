using Hardway.Api;
using Hardway.Proxy.Model;

namespace Hardway.Proxy.Policies;

/// <summary>
/// Pods as one end of a connection: of one namespace, or of all namespaces whose labels match. Equal peers of different policies have the same key
/// and share their sets.
/// </summary>
internal sealed record PodPeer(string? Namespace, Selector? Namespaces, Selector Pods)
{
    public string Key { get; } = Namespace is not null ? $"namespace {Namespace}, pods {Pods}" : $"namespaces {Namespaces}, pods {Pods}";

    public bool Matches(PodFacts pod, IReadOnlyDictionary<string, string>? namespaceLabels) =>
        (Namespace is not null ? pod.Namespace == Namespace : namespaceLabels is not null && Namespaces!.Matches(namespaceLabels)) && Pods.Matches(pod.Labels);
}

/// <summary>Ports of one protocol: a range, or the number that each Pod's container port of that name has; neither: every port.</summary>
internal readonly record struct PolicyPort(L4Protocol Protocol, int First, int Last, string Name)
{
    public bool IsEvery => First == 0 && Name.Length == 0;
}

/// <summary>One rule of a policy. It allows what matches a peer and a port; <see cref="AnyPeer"/> and <see cref="AnyPort"/> say that there is no list, which an empty list does not.</summary>
internal sealed record PolicyRule
{
    public bool AnyPeer { get; init; }
    public IReadOnlyList<PodPeer> Pods { get; init; } = [];
    public IReadOnlyList<AddressRange> Addresses { get; init; } = [];
    public bool AnyPort { get; init; }
    public IReadOnlyList<PolicyPort> Ports { get; init; } = [];
}

/// <summary>A NetworkPolicy, compiled. A direction that it says nothing about is null: it isolates nothing there. Immutable.</summary>
internal sealed record PolicyModel(string Namespace, string Name, Selector Pods, IReadOnlyList<PolicyRule>? Ingress, IReadOnlyList<PolicyRule>? Egress)
{
    public string Key { get; } = $"{Namespace}/{Name}";

    public IReadOnlyList<PolicyRule>? Rules(PolicyDirection direction) => direction == PolicyDirection.Ingress ? Ingress : Egress;

    public bool Selects(PodFacts pod) => pod.Namespace == Namespace && Pods.Matches(pod.Labels);
}

internal enum PolicyDirection
{
    Ingress,
    Egress,
}
