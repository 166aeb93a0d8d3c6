using Hardway.Kubelet.Network;

namespace Hardway.Kubelet.Tests.Network;

public sealed class NetworkTests
{
    private static readonly ResolvConf Node = ResolvConf.Parse("# a comment\nnameserver 1.1.1.1\nnameserver 8.8.8.8\nsearch example.com.\noptions timeout:1\n");

    [Fact]
    public void A_resolv_conf_is_read()
    {
        Assert.Equal(["1.1.1.1", "8.8.8.8"], Node.Servers);
        Assert.Equal(["example.com"], Node.Searches);
        Assert.Equal(["timeout:1"], Node.Options);
    }

    [Fact]
    public void ClusterFirst_asks_the_cluster_and_searches_the_namespace_first()
    {
        var conf = ResolvConf.ForPod("ClusterFirst", false, "default", Node, ["10.32.0.10"], "cluster.local");
        Assert.Equal(["10.32.0.10"], conf.Servers);
        Assert.Equal(["default.svc.cluster.local", "svc.cluster.local", "cluster.local", "example.com"], conf.Searches);
        Assert.Equal(["ndots:5"], conf.Options);
    }

    [Theory]
    [InlineData("ClusterFirst", true, "1.1.1.1")]
    [InlineData("ClusterFirstWithHostNet", true, "10.32.0.10")]
    [InlineData("Default", false, "1.1.1.1")]
    public void The_policy_chooses_the_server(string policy, bool hostNetwork, string first) =>
        Assert.Equal(first, ResolvConf.ForPod(policy, hostNetwork, "ns", Node, ["10.32.0.10"], "cluster.local").Servers[0]);

    [Fact]
    public void None_takes_only_what_the_pod_says()
    {
        var conf = ResolvConf.ForPod("None", false, "ns", Node, ["10.32.0.10"], "cluster.local").With(["9.9.9.9"], ["a.b"], [("ndots", "2"), ("edns0", null)]);
        Assert.Equal(["9.9.9.9"], conf.Servers);
        Assert.Equal(["ndots:2", "edns0"], conf.Options);
    }

    [Fact]
    public void A_pods_options_replace_those_of_the_policy()
    {
        var conf = ResolvConf.ForPod("ClusterFirst", false, "ns", Node, ["10.32.0.10"], "cluster.local").With([], [], [("ndots", "1")]);
        Assert.Equal(["ndots:1"], conf.Options);
    }

    [Fact]
    public void A_hosts_file_names_the_pod_and_its_aliases()
    {
        var text = HostsFile.ForPod(["10.200.0.5"], "web-0", "web.default.svc.cluster.local", [("1.2.3.4", ["a", "b"])]);
        Assert.StartsWith("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n", text, StringComparison.Ordinal);
        Assert.Contains("10.200.0.5\tweb-0.web.default.svc.cluster.local\tweb-0\n", text, StringComparison.Ordinal);
        Assert.EndsWith("\n# Entries added by HostAliases.\n1.2.3.4\ta\tb\n", text, StringComparison.Ordinal);
    }
}
