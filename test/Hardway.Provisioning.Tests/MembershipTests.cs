using System.Text.Json.Nodes;
using Hardway.Hosting;
using Hardway.Provisioning.ControlPlane;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Membership;
using Hardway.Provisioning.Remote;

namespace Hardway.Provisioning.Tests;

public sealed class MembershipTests : IDisposable
{
    private static readonly string[] _three = ["server-0", "server-1", "server-2"];
    private static readonly MachineDatabase _machines = MachineDatabase.Parse(MachineDatabaseTests.Tutorial);

    private readonly string _root = Directory.CreateTempSubdirectory("hardway-membership").FullName;

    private string BootstrapFile => Path.Combine(_root, "etcd-bootstrap");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_new_node_gets_the_next_address_and_the_next_subnet_and_the_text_keeps_its_comments()
    {
        var machines = NewMachine.Join(_machines, MachineRole.Node, "node-2", null, null);

        Assert.Equal("10.240.0.82 node-2.kubernetes.local 10.200.2.0/24", $"{machines.Nodes[2].Address} {machines.Nodes[2].Fqdn} {machines.Nodes[2].PodSubnet}");
        Assert.StartsWith(MachineDatabaseTests.Tutorial, machines.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_name_joins_with_the_role_that_it_was_given()
        => Assert.Equal(MachineRole.Node, NewMachine.Join(_machines, MachineRole.Node, "big-one", "10.240.0.99", "10.200.7.0/24").Find("big-one")!.Role);

    [Fact]
    public void A_server_makes_an_even_number_for_a_while_and_is_given_an_address_that_is_free()
    {
        var machines = NewMachine.Join(_machines, MachineRole.Server, "server-3", null, null);

        Assert.Equal("10.240.0.73", machines.Servers[3].Address.ToString());
        Assert.Equal("10.240.0.74", NewMachine.Join(machines, MachineRole.Server, "server-4", null, null).Servers[4].Address.ToString());
    }

    [Fact]
    public void Joining_again_goes_on_with_the_machine_that_is_there()
    {
        Assert.Same(_machines, NewMachine.Join(_machines, MachineRole.Server, "server-2", null, null));
        Assert.Contains("as a server", Assert.Throws<ComponentException>(() => NewMachine.Join(_machines, MachineRole.Node, "server-2", null, null)).Message, StringComparison.Ordinal);
        Assert.Contains("at 10.240.0.72", Assert.Throws<ComponentException>(() => NewMachine.Join(_machines, MachineRole.Server, "server-2", "10.240.0.9", null)).Message, StringComparison.Ordinal);
        Assert.Contains("address 10.240.0.80 is taken", Assert.Throws<ComponentException>(() => NewMachine.Join(_machines, MachineRole.Node, "node-2", "10.240.0.80", null)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_machine_that_leaves_takes_its_line_and_no_other()
    {
        var left = _machines.Without(_machines.Find("server-1")!);

        Assert.Equal(["lb", "server-0", "server-2", "node-0", "node-1"], left.Machines.Select(m => m.HostName));
        Assert.Contains("# the tutorial's machines", left.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("server-2", "server-0 server-1 server-2", null)]
    [InlineData("server-2", "server-0 server-1", null)]
    [InlineData("server-1", "server-0 server-1", "of which 2 must answer for every write, and only server-0 answers: bring server-2 back")]
    [InlineData("server-0", "", "none answers")]
    public void A_server_leaves_only_where_a_majority_of_the_others_answers(string leaving, string alive, string? expected)
    {
        var obstacle = EtcdMembership.RemovalObstacle(_three, alive.Split(' ', StringSplitOptions.RemoveEmptyEntries), leaving);

        if (expected is null)
        {
            Assert.Null(obstacle);
        }
        else
        {
            Assert.Contains(expected, obstacle, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_last_member_never_leaves() => Assert.Contains("everything that the cluster knows", EtcdMembership.RemovalObstacle(["server-0"], ["server-0"], "server-0"), StringComparison.Ordinal);

    [Fact]
    public void A_fourth_member_needs_all_but_one_of_three()
    {
        Assert.Null(EtcdMembership.JoiningObstacle(_three, ["server-0", "server-1"]));
        Assert.Contains("of which 3 must answer", EtcdMembership.JoiningObstacle(_three, ["server-0"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Founders_keep_the_flags_they_were_founded_with_when_others_join_and_leave()
    {
        var first = EtcdBootstrap.Read(BootstrapFile);
        Assert.False(first.IsFounded);
        var founded = first.Of(_machines, _machines.Servers[0]);
        Assert.Equal("new", founded.State);
        first.Keep(_machines);

        var four = NewMachine.Join(_machines, MachineRole.Server, "server-3", null, null);
        var second = EtcdBootstrap.Read(BootstrapFile);
        Assert.Equal(founded, second.Of(four, four.Servers[0]));
        Assert.Equal("existing", second.Of(four, four.Servers[3]).State);
        second.Keep(four);
        second.Forget("server-1");

        var third = EtcdBootstrap.Read(BootstrapFile);
        Assert.Equal(founded, third.Of(four, four.Servers[0]));
        Assert.Equal("existing", third.Of(four, four.Servers[1]).State);
        Assert.Equal(second.Of(four, four.Servers[3]), third.Of(four, four.Servers[3]));
    }

    [Fact]
    public void A_unit_that_can_reload_is_not_taken_away_for_a_changed_file()
    {
        var state = new MachineState().File("/etc/a", "b").Unit("haproxy.service", reloads: true).Unit("other.service");
        var difference = new MachineDifference(state.Files, [], [], [], [], false, new HashSet<string>());

        var script = ApplyScript.Render("haproxy", state, difference);

        Assert.Contains("systemctl restart --no-block 'other.service'\nsystemctl reload-or-restart --no-block 'haproxy.service'\n", script, StringComparison.Ordinal);
        Assert.Contains(difference.Items(state), i => i.ToString() == "unit haproxy.service (reloaded)");
    }

    [Fact]
    public void Only_units_that_run_are_restarted_one_after_the_other()
    {
        var state = new MachineState().File("/etc/a", "b").Unit("etcd.service");

        Assert.True(new MachineDifference(state.Files, [], [], [], [], false, new HashSet<string>()).Restarts(state));
        Assert.False(new MachineDifference(state.Files, [], [], ["etcd.service"], [], false, new HashSet<string>()).Restarts(state));
        Assert.False(new MachineDifference([], [], [], [], [], false, new HashSet<string>()).Restarts(state));
    }

    [Theory]
    [InlineData("""{"metadata":{},"status":{"phase":"Running"}}""", true, true)]
    [InlineData("""{"metadata":{"ownerReferences":[{"kind":"ReplicaSet","controller":true}]},"status":{"phase":"Running"}}""", true, false)]
    [InlineData("""{"metadata":{"ownerReferences":[{"kind":"DaemonSet","controller":true}]},"status":{"phase":"Running"}}""", false, false)]
    [InlineData("""{"metadata":{"annotations":{"kubernetes.io/config.mirror":"x"}},"status":{"phase":"Running"}}""", false, true)]
    [InlineData("""{"metadata":{},"status":{"phase":"Succeeded"}}""", false, true)]
    public void A_drain_waits_for_Pods_that_others_take_over_and_refuses_to_lose_those_that_nobody_does(string pod, bool leaves, bool alone)
    {
        Assert.Equal(leaves, NodeDrain.Leaves(JsonNode.Parse(pod)!));
        Assert.Equal(alone, NodeDrain.IsAlone(JsonNode.Parse(pod)!));
    }
}
