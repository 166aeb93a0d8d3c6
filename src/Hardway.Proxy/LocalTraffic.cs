using System.Net;
using System.Net.Sockets;
using Hardway.Proxy.Configuration;
using Hardway.Proxy.Nftables;

namespace Hardway.Proxy;

/// <summary>Turns detectLocalMode into the matches that tell Pods' traffic from others'. Pure.</summary>
internal static class LocalTraffic
{
    public static (string? IfLocal, string? IfNotLocal) Matches(ProxyConfig config, NftFamily family, IReadOnlyList<IPNetwork> nodeNetworks) => config.DetectLocal switch
    {
        LocalMode.NodeCidr => ByNetworks(nodeNetworks, family),
        LocalMode.BridgeInterface => ($"iifname \"{config.BridgeInterface}\"", $"iifname != \"{config.BridgeInterface}\""),
        LocalMode.InterfaceNamePrefix => ($"iifname \"{config.InterfaceNamePrefix}*\"", $"iifname != \"{config.InterfaceNamePrefix}*\""),
        _ => ByNetworks(config.ClusterCidrs, family),
    };

    /// <summary>The same in iptables' words. Several networks of one family cannot be negated in one rule: then nothing is told apart.</summary>
    public static (string? IfLocal, string? IfNotLocal) IptablesMatches(ProxyConfig config, bool v6, IReadOnlyList<IPNetwork> nodeNetworks)
    {
        switch (config.DetectLocal)
        {
            case LocalMode.BridgeInterface:
                return ($"-i {config.BridgeInterface}", $"! -i {config.BridgeInterface}");
            case LocalMode.InterfaceNamePrefix:
                return ($"-i {config.InterfaceNamePrefix}+", $"! -i {config.InterfaceNamePrefix}+");
            default:
                var networks = config.DetectLocal == LocalMode.NodeCidr ? nodeNetworks : config.ClusterCidrs;
                var mine = networks.Where(n => n.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6 == v6).ToList();
                return mine.Count == 1 ? ($"-s {mine[0]}", $"! -s {mine[0]}") : (null, null);
        }
    }

    private static (string?, string?) ByNetworks(IReadOnlyList<IPNetwork> networks, NftFamily family)
    {
        var mine = networks.Where(n => n.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6 == (family == NftFamily.V6)).Select(n => n.ToString()).ToList();
        var set = mine.Count == 1 ? mine[0] : $"{{ {string.Join(", ", mine)} }}";
        return mine.Count == 0 ? (null, null) : ($"{family.Ip} saddr {set}", $"{family.Ip} saddr != {set}");
    }
}
