using System.Net;
using System.Text;
using Hardway.Storage.Compaction;
using Hardway.Storage.Leases;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hardway.Storage.Tests;

public sealed class LeaseAndCompactionTests(EtcdFixture fixture) : IClassFixture<EtcdFixture>
{
    private readonly IStore _store = fixture.Store;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Events_written_together_share_a_lease_and_each_ttl_has_its_own()
    {
        using var pool = new LeasePool(_store, TimeProvider.System);
        var hour = await pool.LeaseForAsync(TimeSpan.FromHours(1), Stop);
        Assert.Equal(hour, await pool.LeaseForAsync(TimeSpan.FromHours(1), Stop));
        Assert.NotEqual(hour, await pool.LeaseForAsync(TimeSpan.FromHours(2), Stop));

        var more = new HashSet<long>();
        for (var i = 0; i < 1000; i++)
        {
            more.Add(await pool.LeaseForAsync(TimeSpan.FromHours(1), Stop));
        }

        Assert.Equal(2, more.Count);
    }

    [Fact]
    public async Task Servers_are_listed_while_they_renew_and_go_when_they_stop()
    {
        var one = new ServerLeases(_store, IPAddress.Parse("10.240.0.70"));
        var two = new ServerLeases(_store, IPAddress.Parse("10.240.0.71"));
        await one.RenewAsync(Stop);
        await two.RenewAsync(Stop);
        var before = await _store.CurrentRevisionAsync(Stop);
        await one.RenewAsync(Stop);

        Assert.Equal(before, await _store.CurrentRevisionAsync(Stop));
        Assert.Equal(["10.240.0.70", "10.240.0.71"], await two.ListAsync(Stop));
        Assert.Contains("\"ip\":\"10.240.0.70\"", Encoding.UTF8.GetString((await _store.GetAsync("/registry/masterleases/10.240.0.70", 0, Stop)).Entry!.Value.Span));

        await one.RemoveAsync(Stop);
        Assert.Equal(["10.240.0.71"], await two.ListAsync(Stop));
        await _store.RevokeLeaseAsync((await _store.GetAsync("/registry/masterleases/10.240.0.71", 0, Stop)).Entry!.Lease, Stop);
        await two.RenewAsync(Stop);
        Assert.Equal(["10.240.0.71"], await two.ListAsync(Stop));
    }

    [Fact]
    public async Task Of_two_servers_one_compacts_in_an_interval_and_at_what_was_seen_an_interval_before()
    {
        var one = new Compactor(_store, TimeSpan.FromMinutes(5), TimeProvider.System, NullLogger.Instance);
        var two = new Compactor(_store, TimeSpan.FromMinutes(5), TimeProvider.System, NullLogger.Instance);
        Assert.False(await one.OnceAsync(Stop));
        Assert.False(await two.OnceAsync(Stop));
        var kept = await _store.CreateAsync("/registry/x", "1"u8.ToArray(), 0, Stop);
        await _store.UpdateAsync("/registry/x", "2"u8.ToArray(), kept.Revision, 0, Stop);

        Assert.True(await one.OnceAsync(Stop));
        Assert.False(await two.OnceAsync(Stop));
        Assert.Equal("1", Encoding.UTF8.GetString((await _store.GetAsync("/registry/x", kept.Revision, Stop)).Entry!.Value.Span));

        Assert.True(await two.OnceAsync(Stop));
        var e = await Assert.ThrowsAsync<StoreException>(() => _store.GetAsync("/registry/x", kept.Revision, Stop));
        Assert.Equal(StoreError.Compacted, e.Error);
    }
}
