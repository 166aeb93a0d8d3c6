using System.Net;
using Hardway.Client;
using Hardway.Hosting;

namespace Hardway.Proxy.Configuration;

/// <summary>Reads KubeProxyConfiguration strictly: an unknown field, a wrong type or value is one line that names the file and the field.</summary>
internal static class ProxyConfigReader
{
    private const string ApiVersion = "kubeproxy.config.k8s.io/v1alpha1";
    private const string Kind = "KubeProxyConfiguration";
    private const string Primary = "primary";

    public static ProxyConfig Load(string file) => ConfigFile.Load(file, ApiVersion, Kind, Read);

    public static ProxyConfig Read(string file, string yaml) => ConfigFile.Read(file, yaml, ApiVersion, Kind, Read);

    private static ProxyConfig Read(ConfigObject root)
    {
        var warnings = new List<string>();
        var connection = root.Object("clientConnection");
        connection.Inert("acceptContentTypes", "contentType", "qps", "burst");
        var (mode, section) = Mode(root, warnings);
        var other = root.Object(section == "nftables" ? "iptables" : "nftables");
        other.Inert("masqueradeBit", "masqueradeAll", "localhostNodePorts", "syncPeriod", "minSyncPeriod");
        root.Object("ipvs").Inert("syncPeriod", "minSyncPeriod", "scheduler", "excludeCIDRs", "strictARP", "tcpTimeout", "tcpFinTimeout", "udpTimeout");
        root.Inert("featureGates", "logging", "bindAddressHardFail", "enableProfiling", "showHiddenMetricsForVersion", "winkernel", "oomScoreAdj", "configSyncPeriod", "portRange", "windowsRunAsService");
        var conntrack = root.Object("conntrack");
        conntrack.Inert("tcpBeLiberal", "udpTimeout", "udpStreamTimeout");
        var defaults = new ProxyConfig();
        var rules = root.Object(section);
        var detect = root.Object("detectLocal");
        var nodePorts = root.Strings("nodePortAddresses");
        var config = new ProxyConfig
        {
            Kubeconfig = connection.String("kubeconfig"),
            HostnameOverride = root.String("hostnameOverride"),
            Mode = mode,
            Healthz = Serve(root, "healthzBindAddress", defaults.Healthz!),
            Metrics = Serve(root, "metricsBindAddress", defaults.Metrics!),
            ClusterCidrs = Networks(root, "clusterCIDR", root.String("clusterCIDR").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)),
            DetectLocal = Detect(root),
            BridgeInterface = detect.String("bridgeInterface"),
            InterfaceNamePrefix = detect.String("interfaceNamePrefix"),
            NodePortNetworks = Networks(root, "nodePortAddresses", nodePorts.Where(t => t != Primary)),
            NodePortPrimary = nodePorts.Contains(Primary),
            MasqueradeBit = rules.Int("masqueradeBit", defaults.MasqueradeBit, 0, 31),
            MasqueradeAll = rules.Bool("masqueradeAll"),
            LocalhostNodePorts = mode == ProxyMode.Iptables && rules.Bool("localhostNodePorts", true),
            SyncPeriod = rules.Duration("syncPeriod", defaults.SyncPeriod),
            MinSyncPeriod = rules.Duration("minSyncPeriod", defaults.MinSyncPeriod),
            ConntrackMaxPerCore = conntrack.Int("maxPerCore", defaults.ConntrackMaxPerCore, 0),
            ConntrackMin = conntrack.Int("min", defaults.ConntrackMin, 0),
            TcpEstablishedTimeout = conntrack.Duration("tcpEstablishedTimeout", defaults.TcpEstablishedTimeout),
            TcpCloseWaitTimeout = conntrack.Duration("tcpCloseWaitTimeout", defaults.TcpCloseWaitTimeout),
            Warnings = warnings,
        };
        root.Inert("bindAddress");
        return Checked(root, config);
    }

    private static (ProxyMode Mode, string Section) Mode(ConfigObject root, List<string> warnings)
    {
        switch (root.String("mode"))
        {
            case "" or "nftables":
                return (ProxyMode.Nftables, "nftables");
            case "iptables":
                return (ProxyMode.Iptables, "iptables");
            case "ipvs":
                warnings.Add("mode ipvs: not available here, using nftables instead; set mode: nftables to silence this line");
                return (ProxyMode.Nftables, "nftables");
            case var other:
                throw root.Wrong("mode", $"is \"{other}\"; it can be nftables, iptables or ipvs");
        }
    }

    private static LocalMode Detect(ConfigObject root) => root.String("detectLocalMode") switch
    {
        "" or "ClusterCIDR" => LocalMode.ClusterCidr,
        "NodeCIDR" => LocalMode.NodeCidr,
        "BridgeInterface" => LocalMode.BridgeInterface,
        "InterfaceNamePrefix" => LocalMode.InterfaceNamePrefix,
        var other => throw root.Wrong("detectLocalMode", $"is \"{other}\"; it can be ClusterCIDR, NodeCIDR, BridgeInterface or InterfaceNamePrefix"),
    };

    private static ProxyConfig Checked(ConfigObject root, ProxyConfig config)
    {
        if (config.SyncPeriod <= TimeSpan.Zero || config.MinSyncPeriod < TimeSpan.Zero || config.MinSyncPeriod > config.SyncPeriod)
        {
            throw root.Wrong("syncPeriod", "must be positive and not shorter than minSyncPeriod");
        }

        var missing = config switch
        {
            { DetectLocal: LocalMode.BridgeInterface, BridgeInterface: "" } => "detectLocal.bridgeInterface",
            { DetectLocal: LocalMode.InterfaceNamePrefix, InterfaceNamePrefix: "" } => "detectLocal.interfaceNamePrefix",
            _ => null,
        };
        return missing is null ? config : throw root.Wrong(missing, "is needed with this detectLocalMode");
    }

    /// <summary>An address with a port, or a bare address with the default port; "" turns it off only when written out.</summary>
    private static IPEndPoint? Serve(ConfigObject root, string name, IPEndPoint @default)
    {
        if (!root.Has(name))
        {
            return @default;
        }

        var text = root.String(name, @default.ToString());
        if (text.Length == 0)
        {
            return null;
        }

        if (IPAddress.TryParse(text, out var address))
        {
            return new IPEndPoint(address, @default.Port);
        }

        return IPEndPoint.TryParse(text, out var endpoint) && endpoint.Port != 0 ? endpoint : throw root.Wrong(name, $"is \"{text}\", not ADDRESS:PORT");
    }

    private static List<IPNetwork> Networks(ConfigObject root, string field, IEnumerable<string> texts)
    {
        var networks = new List<IPNetwork>();
        foreach (var text in texts)
        {
            networks.Add(IPNetwork.TryParse(text, out var network) ? network : throw root.Wrong(field, $"has \"{text}\", which is not a network such as 10.200.0.0/16"));
        }

        return networks;
    }
}
