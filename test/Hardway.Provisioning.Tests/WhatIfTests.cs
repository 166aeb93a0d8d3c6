using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Planning;

namespace Hardway.Provisioning.Tests;

public class WhatIfTests
{
    private static readonly MachineDatabase _machines = MachineDatabase.Parse(MachineDatabaseTests.Tutorial);

    [Fact]
    public void Of_three_members_one_may_be_lost_and_not_two()
    {
        var lines = WhatIf.Answer(_machines, All("server-0", "server-1", "server-2"), ["server-0", "server-1"]);

        Assert.Equal([true, true, false], lines.Select(l => l.Writes));
        Assert.Contains("1 more may be lost", lines[0].Etcd, StringComparison.Ordinal);
        Assert.Contains("EVERY WRITE STOPS until 1 come back", lines[2].Etcd, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_two_members_none_may_be_lost()
        => Assert.False(WhatIf.Answer(_machines, All("server-0", "server-1"), ["server-1"])[^1].Writes);

    [Fact]
    public void A_member_that_is_down_counts_as_lost()
    {
        var lines = WhatIf.Answer(_machines, new WhatIf.Membership(["server-0", "server-1", "server-2"], ["server-0", "server-1"]), ["server-1"]);

        Assert.Contains("server-2 down", lines[0].Lost, StringComparison.Ordinal);
        Assert.False(lines[1].Writes);
    }

    [Fact]
    public void Without_the_load_balancer_nobody_comes_in()
    {
        var line = WhatIf.Answer(_machines, All("server-0", "server-1", "server-2"), ["lb"])[^1];

        Assert.True(line.Writes);
        Assert.False(line.Reached);
    }

    private static WhatIf.Membership All(params string[] members) => new(members, members);
}
