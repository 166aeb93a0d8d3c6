using System.Net;

namespace Hardway.ControllerManager.Tests;

public sealed class CidrSetTests
{
    [Fact]
    public void Ranges_are_given_once_around_those_that_are_taken_and_come_back_when_freed()
    {
        var set = new CidrSet(IPNetwork.Parse("10.200.0.0/22"), 24);
        set.Occupy(IPNetwork.Parse("10.200.1.0/24"));
        set.Occupy(IPNetwork.Parse("192.168.0.0/16"));
        Assert.Equal(["10.200.0.0/24", "10.200.2.0/24", "10.200.3.0/24", null], Enumerable.Range(0, 4).Select(_ => set.Take()?.ToString()));
        set.Release(IPNetwork.Parse("10.200.2.0/24"));
        Assert.Equal("10.200.2.0/24", set.Take()?.ToString());
    }

    [Fact]
    public void A_smaller_range_takes_the_one_it_lies_in_and_a_larger_one_all_of_its_own()
    {
        var set = new CidrSet(IPNetwork.Parse("10.0.0.0/21"), 24);
        set.Occupy(IPNetwork.Parse("10.0.0.128/25"));
        set.Occupy(IPNetwork.Parse("10.0.2.0/23"));
        Assert.Equal("10.0.1.0/24", set.Take()?.ToString());
        Assert.Equal("10.0.4.0/24", set.Take()?.ToString());
        set.Occupy(IPNetwork.Parse("10.0.0.0/8"));
        Assert.Null(set.Take());
    }

    [Fact]
    public void IPv6_ranges_are_given_like_others()
    {
        var set = new CidrSet(IPNetwork.Parse("fd00:1::/48"), 64);
        Assert.Equal("fd00:1::/64", set.Take()?.ToString());
        Assert.Equal("fd00:1:0:1::/64", set.Take()?.ToString());
        Assert.Throws<ArgumentException>(() => new CidrSet(IPNetwork.Parse("10.0.0.0/24"), 16));
    }
}
