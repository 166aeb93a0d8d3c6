using System.Net;

namespace Hardway.Proxy.Model;

internal enum L4Protocol
{
    Tcp,
    Udp,
    Sctp,
}

/// <summary>A port of a Service, for one address family.</summary>
internal readonly record struct ServicePortName(string Namespace, string Service, string Port)
{
    public override string ToString() => Port.Length == 0 ? $"{Namespace}/{Service}" : $"{Namespace}/{Service}:{Port}";
}

/// <summary>An address that may receive a Service's traffic now.</summary>
internal sealed record Endpoint(IPAddress Address, int Port, bool IsLocal)
{
    /// <summary>On this node, or nobody said where.</summary>
    public bool MayBeHere { get; init; } = IsLocal;
}

/// <summary>
/// What the rules need of one Service port in one family, compiled from the Service and its EndpointSlices. Immutable; a changed Service
/// is a new instance, so equality by reference says "unchanged".
/// </summary>
internal sealed record ServicePort
{
    public required ServicePortName Name { get; init; }
    public required L4Protocol Protocol { get; init; }
    public required int Port { get; init; }
    public required IPAddress ClusterIP { get; init; }
    public int NodePort { get; init; }
    public IReadOnlyList<IPAddress> ExternalIPs { get; init; } = [];
    public IReadOnlyList<IPAddress> LoadBalancerIPs { get; init; } = [];
    public IReadOnlyList<IPNetwork> SourceRanges { get; init; } = [];

    /// <summary>ClientIP affinity and how long it lasts without traffic; null without affinity.</summary>
    public TimeSpan? Affinity { get; init; }

    public bool InternalLocal { get; init; }
    public bool ExternalLocal { get; init; }
    public int HealthCheckNodePort { get; init; }

    /// <summary>Endpoints for traffic policy Cluster, after topology hints.</summary>
    public IReadOnlyList<Endpoint> ClusterEndpoints { get; init; } = [];

    /// <summary>Endpoints on this node, for traffic policy Local.</summary>
    public IReadOnlyList<Endpoint> LocalEndpoints { get; init; } = [];

    /// <summary>Is there an endpoint anywhere? Decides between "refused" and "dropped" where this node has none.</summary>
    public bool HasEndpoints => ClusterEndpoints.Count > 0 || LocalEndpoints.Count > 0;

    public bool IsExternal => NodePort != 0 || ExternalIPs.Count > 0 || LoadBalancerIPs.Count > 0;

    public string ProtocolName => Protocol switch
    {
        L4Protocol.Udp => "udp",
        L4Protocol.Sctp => "sctp",
        _ => "tcp",
    };
}
