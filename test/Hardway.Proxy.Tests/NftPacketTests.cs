using Hardway.Proxy.Nftables;

namespace Hardway.Proxy.Tests;

public sealed class NftPacketTests() : RulePacketTests(command => new NftTable(ProxySamples.Options, command))
{
    private protected override string Dump() => Net.Node.Exec("nft", "list", "ruleset");

    [Fact]
    public async Task A_port_that_the_Service_does_not_have_is_refused()
    {
        await SyncAsync(ProxySamples.Port("web", "10.32.0.7", ProxySamples.Local("10.200.0.2")));

        Assert.Equal("ConnectionRefused", await NodeNetwork.CallAsync(Net.Client, "10.32.0.7", 81, Stop));
    }
}
