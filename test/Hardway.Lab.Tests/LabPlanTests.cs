using System.Net;
using Hardway.Hosting;
using Hardway.Lab.CommandLine;
using Hardway.Provisioning.Machines;

namespace Hardway.Lab.Tests;

public class LabPlanTests
{
    private static LabPlan Plan(params (string Name, string Address)[] machines) => new([.. machines.Select(m => new LabMachine(m.Name, IPAddress.Parse(m.Address)))]);

    [Fact]
    public void The_labs_own_database_makes_a_plan()
    {
        var machines = MachineDatabase.Parse(JumpboxSession.LabDatabase);
        var plan = new MachineLab(new LabPaths("/nowhere"), new LabPlan([.. machines.Machines.Select(m => new LabMachine(m.HostName, m.Address))]), TimeProvider.System).Plan;

        Assert.Equal(["lb", "server-0", "server-1", "server-2", "node-0", "node-1"], plan.Machines.Select(m => m.Name));
        Assert.Equal("hw-node-1", plan.Find("node-1").Link);
    }

    [Theory]
    [InlineData("../../etc", "10.240.0.2", "it names an interface")]
    [InlineData("a-name-too-long", "10.240.0.2", "it names an interface")]
    [InlineData("Node", "10.240.0.2", "it names an interface")]
    [InlineData("node", "10.240.1.2", "not a free one of the lab's subnet 10.240.0.0/24")]
    [InlineData("node", "10.240.0.1", "not a free one of the lab's subnet")]
    [InlineData("node", "10.240.0.255", "not a free one of the lab's subnet")]
    public void What_cannot_be_a_machine_of_the_lab_is_refused_with_its_reason(string name, string address, string reason)
    {
        Assert.Contains(reason, Assert.Throws<ComponentException>(() => Plan((name, address))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_machines_share_neither_name_nor_address()
    {
        Assert.Contains("named a", Assert.Throws<ComponentException>(() => Plan(("a", "10.240.0.2"), ("a", "10.240.0.3"))).Message, StringComparison.Ordinal);
        Assert.Contains("10.240.0.2", Assert.Throws<ComponentException>(() => Plan(("a", "10.240.0.2"), ("b", "10.240.0.2"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_machine_that_is_not_there_is_told_with_those_that_are()
    {
        Assert.Contains("it has a, b", Assert.Throws<ComponentException>(() => Plan(("a", "10.240.0.2"), ("b", "10.240.0.3")).Find("c")).Message, StringComparison.Ordinal);
    }
}
