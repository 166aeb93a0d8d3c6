using System.Net;

namespace Hardway.Dns.Records;

internal readonly record struct ServiceKey(string Namespace, string Name);

internal readonly record struct PortRecord(string Name, string Protocol, int Port);

/// <summary>What DNS needs of a Service.</summary>
internal sealed record ServiceRecord(ServiceKey Key)
{
    public IReadOnlyList<IPAddress> ClusterIPs { get; init; } = [];
    public bool Headless { get; init; }

    /// <summary>The target of an ExternalName Service.</summary>
    public string? ExternalName { get; init; }

    public IReadOnlyList<PortRecord> Ports { get; init; } = [];
}

/// <summary>One ready address behind a headless Service, with the ports of its slice.</summary>
internal sealed record EndpointRecord(IPAddress Address, string? Hostname, IReadOnlyList<PortRecord> Ports);
