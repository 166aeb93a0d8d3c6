using System.Net;
using System.Net.Sockets;

namespace Hardway.ControllerManager.Tests;

public sealed class AddressPoolTests
{
    [Fact]
    public void Ranges_networks_and_addresses_are_read_and_anything_else_is_told()
    {
        var pool = AddressPool.Parse("10.240.0.200-10.240.0.201, 10.240.1.0/30\n192.0.2.7 fd00::10-fd00::11 10.0.0.9-10.0.0.1 10.0.0.1-fd00::1 x", out var wrong);

        Assert.Equal(["10.0.0.9-10.0.0.1", "10.0.0.1-fd00::1", "x"], wrong);
        Assert.All((string[])["10.240.0.200", "10.240.0.201", "10.240.1.3", "192.0.2.7", "fd00::11"], a => Assert.True(pool.Contains(IPAddress.Parse(a)), a));
        Assert.All((string[])["10.240.0.202", "10.240.1.4", "192.0.2.8", "fd00::12"], a => Assert.False(pool.Contains(IPAddress.Parse(a)), a));
    }

    [Fact]
    public void Free_addresses_run_out()
    {
        var pool = AddressPool.Parse("255.255.255.254/31 192.0.2.1", out _);
        var taken = new HashSet<IPAddress>();
        for (var i = 0; i < 3; i++) Assert.True(taken.Add(pool.Free(AddressFamily.InterNetwork, taken)!));

        Assert.Null(pool.Free(AddressFamily.InterNetwork, taken));
        Assert.Null(pool.Free(AddressFamily.InterNetworkV6, taken));
    }
}
