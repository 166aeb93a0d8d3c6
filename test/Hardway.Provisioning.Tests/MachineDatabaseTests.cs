using Hardway.Hosting;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Tests;

public sealed class MachineDatabaseTests
{
    public const string Tutorial = """
        # the tutorial's machines
        10.240.0.60 lb.kubernetes.local lb
        10.240.0.70 server-0.kubernetes.local server-0
        10.240.0.71 server-1.kubernetes.local server-1
        10.240.0.72 server-2.kubernetes.local server-2

        10.240.0.80 node-0.kubernetes.local node-0 10.200.0.0/24
        10.240.0.81 node-1.kubernetes.local node-1 10.200.1.0/24   # the second
        """;

    [Fact]
    public void The_tutorials_database_is_read_with_comments_blanks_and_roles()
    {
        var machines = MachineDatabase.Parse(Tutorial);

        Assert.Equal(["lb", "server-0", "server-1", "server-2", "node-0", "node-1"], machines.Machines.Select(m => m.HostName));
        Assert.Equal("lb", machines.Endpoint.HostName);
        Assert.Equal(3, machines.Servers.Count);
        Assert.Equal("10.200.1.0/24", machines.Nodes[1].PodSubnet.ToString());
        Assert.Equal("kubernetes.local", machines.Domain);
        Assert.Equal(7, machines.Nodes[0].Line);
    }

    [Theory]
    [InlineData("10.240.0.300 node-2.kubernetes.local node-2 10.200.2.0/24", "9: \"10.240.0.300\" is not an IPv4 address")]
    [InlineData("10.240 node-2.kubernetes.local node-2 10.200.2.0/24", "9: \"10.240\" is not an IPv4 address")]
    [InlineData("10.240.0.80 node-2.kubernetes.local node-2 10.200.2.0/24", "9: address 10.240.0.80 is taken by line 7")]
    [InlineData("10.240.0.82 node-1.kubernetes.local node-1 10.200.2.0/24", "9: host name node-1 is taken by line 8")]
    [InlineData("10.240.0.82 node-2.kubernetes.local node-2 10.200.1.128/25", "9: Pod subnet 10.200.1.128/25 of node-2 overlaps 10.200.1.0/24 of node-1 (line 8)")]
    [InlineData("10.240.0.82 node-2.kubernetes.local node-2 10.200.2.7/24", "9: Pod subnet 10.200.2.7/24 has bits set behind its prefix")]
    [InlineData("10.240.0.82 node-2.kubernetes.local node-2 10.32.0.0/24", "9: Pod subnet 10.32.0.0/24 of node-2 overlaps the Service range")]
    [InlineData("10.240.0.82 node-2.kubernetes.local node-2 10.240.0.0/24", "lies in the Pod subnet 10.240.0.0/24 of node-2")]
    [InlineData("10.240.0.82 node-2.kubernetes.local node-2", "9: node node-2 has no Pod subnet")]
    [InlineData("10.240.0.82 node-2.example.org node-2 10.200.2.0/24", "9: domain example.org of node-2 differs")]
    [InlineData("10.240.0.82 web.kubernetes.local web 10.200.2.0/24", "9: no role is told by \"web\"")]
    [InlineData("10.240.0.82 node-2", "9: 2 fields; a line is IPV4_ADDRESS FQDN HOSTNAME POD_SUBNET")]
    [InlineData("10.240.0.82 node-2.kubernetes.local node_2 10.200.2.0/24", "9: host name \"node_2\" is not a DNS label")]
    [InlineData("10.240.0.73 server-3.kubernetes.local server-3", "no quorum to lose: 4 servers")]
    [InlineData("10.240.0.61 lb-1.kubernetes.local lb-1", "9: a second load balancer")]
    [InlineData("127.0.0.1 node-2.kubernetes.local node-2 10.200.2.0/24", "9: 127.0.0.1 cannot be a machine's address")]
    public void A_bad_line_is_named_with_its_number_and_the_way_out(string line, string expected)
    {
        var error = Assert.Throws<ComponentException>(() => MachineDatabase.Parse(Tutorial + "\n" + line));

        Assert.Contains(error.Message.Split('\n'), e => e.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_error_is_collected()
    {
        var error = Assert.Throws<ComponentException>(() => MachineDatabase.Parse("x y\n1.2.3.4 node-0.a node-0 zz\nnope node-1.a node-1 10.1.0.0/24"));

        Assert.Equal(3, error.Message.Split('\n').Length);
    }

    [Fact]
    public void Two_servers_are_refused_as_two_etcd_members_lose_every_write_with_either()
    {
        var two = string.Join('\n', Tutorial.Split('\n').Where(l => !l.Contains("server-2", StringComparison.Ordinal)));
        var error = Assert.Throws<ComponentException>(() => MachineDatabase.Parse(two));
        Assert.Contains("2 servers make 2 etcd members", Assert.Single(error.Message.Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public void One_server_needs_no_load_balancer()
    {
        var machines = MachineDatabase.Parse("10.0.0.1 server.k.local server\n10.0.0.2 node-0.k.local node-0 10.200.0.0/24");
        Assert.Equal("server", machines.Endpoint.HostName);
    }
}
