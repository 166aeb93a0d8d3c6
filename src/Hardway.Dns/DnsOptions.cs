using System.Net;

namespace Hardway.Dns;

/// <summary>What cluster-dns was told by its flags.</summary>
internal sealed record DnsOptions
{
    public string ClusterDomain { get; init; } = "cluster.local";
    public string Kubeconfig { get; init; } = "";
    public IReadOnlyList<IPEndPoint> Listen { get; init; } = [];
    public int HealthPort { get; init; } = 8080;
    public int MetricsPort { get; init; } = 9153;
    public string ResolvConf { get; init; } = "/etc/resolv.conf";

    /// <summary>Seconds that a client may keep an answer about the cluster. Short: Pods come and go.</summary>
    public uint Ttl { get; init; } = 5;
}
