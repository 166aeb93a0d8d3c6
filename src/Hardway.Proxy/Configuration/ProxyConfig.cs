using System.Net;

namespace Hardway.Proxy.Configuration;

internal enum LocalMode
{
    ClusterCidr,
    NodeCidr,
    BridgeInterface,
    InterfaceNamePrefix,
}

internal enum ProxyMode
{
    Nftables,
    Iptables,
}

/// <summary>What of KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1) is acted on, with upstream's defaults; mode nftables where none is given.</summary>
internal sealed record ProxyConfig
{
    public string Kubeconfig { get; init; } = "";
    public string HostnameOverride { get; init; } = "";
    public ProxyMode Mode { get; init; } = ProxyMode.Nftables;
    public IPEndPoint? Healthz { get; init; } = new(IPAddress.Any, 10256);
    public IPEndPoint? Metrics { get; init; } = new(IPAddress.Loopback, 10249);
    public IReadOnlyList<IPNetwork> ClusterCidrs { get; init; } = [];
    public LocalMode DetectLocal { get; init; } = LocalMode.ClusterCidr;
    public string BridgeInterface { get; init; } = "";
    public string InterfaceNamePrefix { get; init; } = "";
    public IReadOnlyList<IPNetwork> NodePortNetworks { get; init; } = [];

    /// <summary>"primary" in nodePortAddresses: the addresses that the Node object calls InternalIP answer, beside the networks.</summary>
    public bool NodePortPrimary { get; init; }

    public int MasqueradeBit { get; init; } = 14;
    public bool MasqueradeAll { get; init; }

    /// <summary>Do node ports answer on loopback? Mode iptables only.</summary>
    public bool LocalhostNodePorts { get; init; }

    public TimeSpan SyncPeriod { get; init; } = TimeSpan.FromSeconds(30);
    public TimeSpan MinSyncPeriod { get; init; } = TimeSpan.FromSeconds(1);
    public int ConntrackMaxPerCore { get; init; } = 32768;
    public int ConntrackMin { get; init; } = 131072;
    public TimeSpan TcpEstablishedTimeout { get; init; } = TimeSpan.FromHours(24);
    public TimeSpan TcpCloseWaitTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>What the operator should know about this file: fallbacks and fields without effect. Logged once.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}
