using Hardway.Hosting;
using Hardway.Proxy.Configuration;
using Hardway.Proxy.Nftables;

namespace Hardway.Proxy.Tests;

public sealed class ProxyConfigTests
{
    private const string Head = "kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\n";

    /// <summary>As in the tutorial's files.</summary>
    private const string Tutorial = Head + """
        bindAddress: "10.240.0.70"
        clientConnection:
          kubeconfig: "/var/lib/kube-proxy/kubeconfig"
        mode: "ipvs"
        ipvs:
          strictARP: true
        clusterCIDR: "10.200.0.0/16"
        """;

    private static string Problem(string yaml) => Assert.Throws<ComponentException>(() => ProxyConfigReader.Read("kube-proxy-config.yaml", Head + yaml)).Message;

    [Fact]
    public void The_tutorials_file_works_and_says_that_ipvs_is_not_to_be_had()
    {
        var config = ProxyConfigReader.Read("f", Tutorial);

        Assert.Equal("/var/lib/kube-proxy/kubeconfig", config.Kubeconfig);
        Assert.Equal(ProxyMode.Nftables, config.Mode);
        Assert.Equal("10.200.0.0/16", Assert.Single(config.ClusterCidrs).ToString());
        Assert.Contains("ipvs", Assert.Single(config.Warnings));
        Assert.Equal(10256, config.Healthz!.Port);
        Assert.Equal("127.0.0.1:10249", config.Metrics!.ToString());
        Assert.Equal(("ip saddr 10.200.0.0/16", "ip saddr != 10.200.0.0/16"), LocalTraffic.Matches(config, NftFamily.V4, []));
        Assert.Equal((null, null), LocalTraffic.Matches(config, NftFamily.V6, []));
    }

    [Theory]
    [InlineData("clusterCidr: 10.200.0.0/16\n", "kube-proxy-config.yaml: clusterCidr is unknown")]
    [InlineData("ipvs:\n  strictArp: true\n", "ipvs.strictArp is unknown")]
    [InlineData("mode: userspace\n", "mode is \"userspace\"")]
    [InlineData("clusterCIDR: 10.200.0.0/99\n", "clusterCIDR has \"10.200.0.0/99\"")]
    [InlineData("healthzBindAddress: nowhere\n", "healthzBindAddress is \"nowhere\"")]
    [InlineData("nftables:\n  masqueradeBit: 40\n", "nftables.masqueradeBit is 40")]
    [InlineData("nftables:\n  minSyncPeriod: 60s\n  syncPeriod: 5s\n", "syncPeriod must be")]
    [InlineData("detectLocalMode: BridgeInterface\n", "detectLocal.bridgeInterface is needed")]
    [InlineData("clientConnection: 3\n", "clientConnection is not a mapping")]
    public void What_is_wrong_is_one_line_with_the_field(string yaml, string expected) => Assert.Contains(expected, Problem(yaml));

    [Fact]
    public void Node_ports_may_be_kept_to_the_nodes_primary_addresses_and_networks()
    {
        var config = ProxyConfigReader.Read("f", Head + "nodePortAddresses: [primary, 10.240.0.0/24]\n");

        Assert.True(config.NodePortPrimary);
        Assert.Equal("10.240.0.0/24", Assert.Single(config.NodePortNetworks).ToString());
    }

    [Fact]
    public void Another_kind_is_refused() =>
        Assert.Contains("must be KubeProxyConfiguration", Assert.Throws<ComponentException>(() => ProxyConfigReader.Read("f", "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\n")).Message);
}
