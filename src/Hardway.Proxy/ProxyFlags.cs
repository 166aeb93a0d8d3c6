using System.Net;
using Hardway.Hosting;
using Hardway.Proxy.Configuration;

namespace Hardway.Proxy;

/// <summary>kube-proxy's command line. With --config the file decides; only --hostname-override and the logging flags count beside it, as upstream.</summary>
internal sealed class ProxyFlags
{
    public string Config { get; private set; } = "";
    public string HostnameOverride { get; private set; } = "";
    public string Kubeconfig { get; private set; } = "";
    public List<string> ClusterCidrs { get; private set; } = [];
    public bool MasqueradeAll { get; private set; }
    public bool CleanUp { get; private set; }

    /// <summary>Ours alone: off where another network plugin enforces NetworkPolicy.</summary>
    public bool NetworkPolicy { get; private set; } = true;

    /// <summary>Ours alone.</summary>
    public bool LoadBalancers { get; private set; } = true;

    public void Bind(FlagSet flags)
    {
        flags.String("config", "KubeProxyConfiguration file", v => Config = v);
        flags.String("hostname-override", "name of this node, when it is not the host's name", v => HostnameOverride = v);
        flags.String("kubeconfig", "kubeconfig file (without --config)", v => Kubeconfig = v);
        flags.StringList("cluster-cidr", "networks of the cluster's Pods (without --config)", v => ClusterCidrs = v);
        flags.Bool("masquerade-all", "masquerade all traffic to cluster IPs (without --config)", v => MasqueradeAll = v);
        flags.Bool("enable-network-policy", "enforce NetworkPolicy on this node; off where another network plugin does", v => NetworkPolicy = v, NetworkPolicy);
        flags.Bool("announce-load-balancers", "answer for addresses of LoadBalancer Services that the cluster's own pool gave", v => LoadBalancers = v, LoadBalancers);
        flags.Bool("cleanup", "remove the rules and end", v => CleanUp = v);
        flags.Inert(
            "proxy-mode", "bind-address", "healthz-bind-address", "metrics-bind-address", "master", "write-config-to", "feature-gates", "oom-score-adj",
            "conntrack-max-per-core", "conntrack-min", "conntrack-tcp-timeout-established", "conntrack-tcp-timeout-close-wait", "conntrack-udp-timeout",
            "conntrack-udp-timeout-stream", "iptables-masquerade-bit", "iptables-min-sync-period", "iptables-sync-period", "ipvs-min-sync-period",
            "ipvs-sync-period", "ipvs-scheduler", "ipvs-exclude-cidrs", "ipvs-tcp-timeout", "ipvs-tcpfin-timeout", "ipvs-udp-timeout", "nodeport-addresses",
            "detect-local-mode", "pod-bridge-interface", "pod-interface-name-prefix", "proxy-port-range", "kube-api-burst", "kube-api-qps",
            "kube-api-content-type", "config-sync-period", "show-hidden-metrics-for-version");
        flags.InertBools("init-only", "profiling", "bind-address-hard-fail", "ipvs-strict-arp", "iptables-localhost-nodeports", "conntrack-tcp-be-liberal");
    }

    public ProxyConfig Load()
    {
        var config = Config.Length > 0 ? ProxyConfigReader.Load(Config) : new ProxyConfig
        {
            Kubeconfig = Kubeconfig,
            MasqueradeAll = MasqueradeAll,
            ClusterCidrs = ClusterCidrs.ConvertAll(c =>
                IPNetwork.TryParse(c, out var network) ? network : throw new ComponentException($"--cluster-cidr has \"{c}\", which is not a network such as 10.200.0.0/16")),
        };
        return HostnameOverride.Length > 0 ? config with { HostnameOverride = HostnameOverride } : config;
    }
}
